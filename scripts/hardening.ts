import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { $, glob } from 'zx'
import { onHost, type LabHost } from './hosts/lab-host.ts'

// What docs/hardening.md tells of: one fresh machine is measured, hardened and measured again. It takes minutes with KVM and
// an hour without. `npm run hardening`
const LAB = 'hardening'
const RESULTS = join('.msingi', 'hardening')
const PROFILE = 'xccdf_org.ssgproject.content_profile_anssi_bp28_intermediary'
/** Lynis and OpenSCAP are there before, so that they change nothing between the two measurements. */
const TOOLS = ['lynis', 'openscap-scanner']

await main()

async function main(): Promise<void> {
  mkdirSync(RESULTS, { recursive: true })
  const content = await scapContent()
  await $`node bin/msingi.js lab up ${LAB} --os debian-12 --internet --memory 2G ${TOOLS.flatMap(name => ['--package', name])}`
  try {
    const host: LabHost = { lab: LAB, name: 'host1' }
    await onHost(host, 'cat > /root/content.xml', content)
    await measure(host, 'before')
    await $`node bin/msingi.js apply --yes playbooks/harden.yml -i ${join('lab', LAB, 'inventory.yml')}`
    await measure(host, 'after')
  } finally {
    await $`node bin/msingi.js lab down ${LAB}`
  }
}

/** Returns the newest content that Debian ships for Debian 12: it lies in Debian 13, and that of Debian 12 is not meant for itself. */
async function scapContent(): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'msingi-scap-'))
  try {
    const list = join(folder, 'sources.list')
    const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
    writeFileSync(list, `deb [signed-by=${keyring}] http://deb.debian.org/debian trixie main\n`)
    const options = [
      `Dir::Etc::SourceList=${list}`,
      'Dir::Etc::SourceParts=/dev/null',
      `Dir::State::Lists=${folder}/lists`,
      `Dir::Cache=${folder}/cache`,
      'APT::Sandbox::User=root',
    ].flatMap(option => ['-o', option])
    mkdirSync(join(folder, 'lists', 'partial'), { recursive: true })
    mkdirSync(join(folder, 'cache', 'archives', 'partial'), { recursive: true })
    await $`apt-get ${options} update`
    await $({ cwd: folder })`apt-get ${options} download ssg-debian`
    const [deb] = await glob(join(folder, '*.deb'))
    if (deb === undefined) throw new Error('ssg-debian was not fetched')
    await $`dpkg-deb -x ${deb} ${folder}/tree`
    return readFileSync(join(folder, 'tree/usr/share/xml/scap/ssg/content/ssg-debian12-ds.xml'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(host: LabHost, when: string): Promise<void> {
  const lynis = await onHost(
    host,
    'lynis audit system --quick --no-colors --report-file /root/lynis.dat >/dev/null 2>&1; cat /root/lynis.dat',
  )
  const told = await onHost(
    host,
    `oscap xccdf eval --profile ${PROFILE} /root/content.xml 2>/dev/null || [ $? = 2 ]`,
  )
  // Each name comes with a carriage return before its value.
  const scap = told.replaceAll('\r', '')
  writeFileSync(join(RESULTS, `lynis-${when}.dat`), lynis)
  writeFileSync(join(RESULTS, `oscap-${when}.txt`), scap)
  const index = /^hardening_index=(\d+)$/m.exec(lynis)?.[1]
  console.log(`${when}: Lynis ${index ?? 'without a verdict'}, OpenSCAP ${JSON.stringify(countsOf(scap))}`)
  for (const rule of rulesThat(scap, 'fail')) console.log(`  fails: ${rule}`)
}

/** Returns how many rules ended in which way. */
function countsOf(scap: string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const [, result = ''] of scap.matchAll(/^Result\t(\w+)$/gm)) counts[result] = (counts[result] ?? 0) + 1
  return counts
}

function rulesThat(scap: string, result: string): readonly string[] {
  return scap
    .split('\n\n')
    .filter(block => block.includes(`Result\t${result}`))
    .flatMap(block => /^Rule\t.*content_rule_(\w+)/m.exec(block)?.[1] ?? [])
}
