import { makeRoomForWatches } from '../../../scripts/hosts/containers.ts'
import { ensureDocker } from '../../../scripts/hosts/docker.ts'
import { ensureImage, SYSTEMS, type System } from '../../../scripts/hosts/image.ts'

/** Makes Docker and the images ready once, before the first live test. */
export async function setup(): Promise<() => Promise<void>> {
  const stopDaemon = await ensureDocker(say)
  for (const system of Object.keys(SYSTEMS) as System[]) await ensureImage(system, say)
  makeRoomForWatches()
  return stopDaemon
}

function say(text: string): void {
  console.log(`live: ${text}`)
}
