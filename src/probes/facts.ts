import {
  cpuFamily,
  firmwareFamily,
  memoryFamily,
  securityFamily,
  virtualizationFamily,
} from './fact-hardware.ts'
import { networkFamily } from './fact-network.ts'
import { disksFamily, mountsFamily } from './fact-storage.ts'
import {
  hostnameFamily,
  kernelFamily,
  osFamily,
  packageManagerFamily,
  rebootFamily,
  serviceManagerFamily,
} from './fact-system.ts'
import { timeFamily } from './fact-time.ts'
import { factProbe } from './fact.ts'
import type { Probe } from './probe.ts'

/** What can be asked of any host: `facts.os` in a playbook asks the question `os`. Only what a project mentions is asked. */
export const FACTS: Readonly<Record<string, Probe<unknown>>> = {
  os: factProbe(osFamily),
  kernel: factProbe(kernelFamily),
  hostname: factProbe(hostnameFamily),
  memory: factProbe(memoryFamily),
  cpu: factProbe(cpuFamily),
  virtualization: factProbe(virtualizationFamily),
  firmware: factProbe(firmwareFamily),
  security: factProbe(securityFamily),
  mounts: factProbe(mountsFamily),
  disks: factProbe(disksFamily),
  network: factProbe(networkFamily),
  time: factProbe(timeFamily),
  package_manager: factProbe(packageManagerFamily),
  service_manager: factProbe(serviceManagerFamily),
  reboot: factProbe(rebootFamily),
}
