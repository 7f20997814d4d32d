import { parentPort } from 'node:worker_threads'
import { UsageError } from '../base/error.ts'
import { answerCalls } from '../secrets/await-worker.ts'
import type { Typed } from './ask-now.ts'
import { Interrupted } from './interrupt.ts'
import { typedSecret } from './password.ts'

if (parentPort === null) throw new Error('this file runs as a worker')
answerCalls(parentPort, asked)

async function asked(): Promise<Typed> {
  try {
    return { text: (await typedSecret()).reveal() }
  } catch (error) {
    if (error instanceof UsageError) return 'nobody'
    if (error instanceof Interrupted) return 'interrupted'
    throw error
  }
}
