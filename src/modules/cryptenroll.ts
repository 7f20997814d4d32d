import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { exists } from '../probes/exists.ts'
import { luks, type Luks, type LuksAnswer, type LuksToken } from '../probes/luks.ts'
import type { Probe } from '../probes/probe.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { devicePath, deviceTouches } from './_disk.ts'
import { draftScript } from './_drafts.ts'
import {
  keyFile,
  keyInput,
  keyOf,
  KEYS,
  passphrase,
  requireKey,
  requireKeyLeft,
  requireLuks,
} from './_luks-keys.ts'
import { complain, path } from './_params.ts'
import { needs } from './_tools.ts'
import { defineModule } from './module.ts'

const LAST_REGISTER = 23

const pcrs = z
  .union([z.array(z.union([z.number(), z.string()])), z.number(), z.string()])
  .transform((value, context) => {
    const all = (Array.isArray(value) ? value : String(value).split(/[+,]/)).map(Number)
    const isRegister = (one: number): boolean => Number.isInteger(one) && one >= 0 && one <= LAST_REGISTER
    if (!all.every(isRegister))
      context.addIssue({ code: 'custom', message: 'numbers of registers from 0 to 23 expected' })
    return [...new Set(all)].toSorted((a, b) => a - b)
  })

const params = z
  .strictObject({
    device: devicePath().describe('The LUKS2 device, best by a name in `/dev/disk/by-id`.'),
    method: z
      .enum(['tpm2', 'recovery'])
      .default('tpm2')
      .describe(
        '`tpm2`: the chip of this host opens it; `recovery`: a key that is made by chance, to be kept in a safe.',
      ),
    state: z.enum(['present', 'absent']).default('present').describe('Whether it should open the device.'),
    tpm2_device: z
      .string()
      .regex(/^(auto|\/dev\/\S+)$/, '`auto` or the path of a device expected')
      .default('auto')
      .describe('The TPM.'),
    tpm2_pcrs: pcrs
      .default([7])
      .describe(
        'Registers of the TPM that must be as they are now, such as `7` or `[0, 7]`; none with `[]`.',
      ),
    recovery_key_file: path()
      .optional()
      .describe(
        'File on the host, open to root alone, that the new recovery key is written to; best below `/run`.',
      ),
    passphrase: passphrase().describe('A passphrase that opens the device.'),
    keyfile: path().optional().describe('File on the host with a key that opens the device.'),
    passphrase_encoding: z
      .enum(['text', 'base64'])
      .default('text')
      .describe('How the passphrase is written here.'),
  })
  .transform((given, context) => {
    const { method, state, recovery_key_file: file } = given
    if (method === 'recovery' && state === 'present' && file === undefined)
      complain(context, 'recovery_key_file', '`recovery_key_file` is missing', 'MISSING_PARAM')
    return { ...given, key: keyOf(given, given.passphrase_encoding, context) }
  })
type Params = z.output<typeof params>
type Questions = { readonly luks: Probe<LuksAnswer>; readonly tpm?: Probe<boolean> }

export const cryptenroll = defineModule({
  name: 'cryptenroll',
  summary: 'Lets a TPM or a recovery key open a LUKS2 device, by systemd-cryptenroll.',
  examples: [
    '- name: Let the data disk open by itself in this very server\n  cryptenroll:\n    device: /dev/disk/by-id/ata-WDC_WD40EFRX_WD-WCC7K0PX\n    tpm2_pcrs: [7]\n    passphrase: "{{ data_passphrase }}"\n',
    '- name: Make a key for the safe\n  cryptenroll:\n    device: /dev/disk/by-id/ata-WDC_WD40EFRX_WD-WCC7K0PX\n    method: recovery\n    recovery_key_file: /run/data.recovery-key\n    passphrase: "{{ data_passphrase }}"\n',
  ],
  deviations: [
    'Ansible has no such module. The host needs systemd 252 or later, and the libraries of the TPM (`libtss2-esys`, `libtss2-rc`, `libtss2-mu`, `libtss2-tcti-device`).',
    'A TPM that is enrolled with other registers is enrolled anew; the old enrolment goes once the new one is there. Whether the chip still gives the key out is not tried.',
    'The recovery key appears in no output and in no result: it is written to `recovery_key_file`. Bring it away with `fetch`, then remove the file. Where one is enrolled already, no file is written.',
    'Nothing is taken away where no passphrase, key file or recovery key would stay: a TPM breaks with its board.',
  ],
  params,
  probe: ({ device, method, state, tpm2_device: tpm }): Questions => ({
    luks: luks(device),
    ...(method === 'tpm2' && state === 'present' && { tpm: exists(tpm === 'auto' ? '/dev/tpmrm*' : tpm) }),
  }),
  diff: (wish, state): readonly Change[] => {
    const { device, method } = wish
    const header = requireLuks(device, state.luks)
    const own = tokensOf(wish, header)
    const [before, after] = [own[0] ? shown(own[0]) : 'absent', wished(wish)]
    if (wish.state === 'absent') {
      if (own.length === 0) return []
      requireKeyLeft(
        device,
        header,
        own.flatMap(({ keyslots }) => keyslots),
      )
      return [{ kind: method, what: device, before, after: 'absent' }]
    }
    if (own.some(token => method === 'recovery' || shown(token) === after)) return []
    requireKey(wish.key, 'to enrol another one')
    if (state.tpm === false)
      throw new TaskError(
        'TPM_MISSING',
        `the host has no TPM (\`${wish.tpm2_device}\`)`,
        'switch it on in the firmware, or use `clevis`',
      )
    return [{ kind: method, what: device, before, after }]
  },
  apply: (_, wish, { luks: header }) => {
    const script =
      wish.state === 'absent'
        ? sh`systemd-cryptenroll ${[`--wipe-slot=${wish.method}`]} ${wish.device} >&2`
        : enrolScript(wish, typeof header === 'object' && tokensOf(wish, header).length > 0)
    const input = keyInput({ key: wish.key })
    const isKept = wish.state === 'present' && 'stdin' in input
    return [
      {
        do: 'run',
        script: lines(needs('systemd-cryptenroll', 'systemd'), isKept && KEYS, script),
        ...(isKept && input),
      },
    ]
  },
  expect: (wish, { luks: header, tpm }) => {
    if (typeof header === 'string') return {}
    const others = header.tokens.filter(token => !tokensOf(wish, header).includes(token))
    const slots = header.keyslots.filter(
      slot => !tokensOf(wish, header).some(({ keyslots }) => keyslots.includes(slot)),
    )
    const rest: Luks = { ...header, tokens: others, keyslots: slots }
    const token = {
      id: 'new',
      type: TOKENS[wish.method],
      keyslots: ['new'],
      data: { 'tpm2-pcrs': wish.tpm2_pcrs },
    }
    const isThere = wish.state === 'present'
    return {
      luks: isThere ? { ...rest, tokens: [...others, token], keyslots: [...slots, 'new'] } : rest,
      ...(tpm !== undefined && { tpm }),
    }
  },
  touches: (_, { device, recovery_key_file: file }) => [
    ...deviceTouches(device),
    ...(file === undefined ? [] : [{ kind: 'path', name: file } as const]),
  ],
  result: ({ device, method }) => ({ device, method }),
})

const TOKENS = { tpm2: 'systemd-tpm2', recovery: 'systemd-recovery' } as const

function tokensOf({ method }: Pick<Params, 'method'>, { tokens }: Luks): readonly LuksToken[] {
  return tokens.filter(({ type }) => type === TOKENS[method])
}

function shown({ type, data }: LuksToken): string {
  if (type === TOKENS.recovery) return 'present'
  const registers = data['tpm2-pcrs']
  return shownPcrs(Array.isArray(registers) ? registers.map(Number).toSorted((a, b) => a - b) : [])
}

function wished({ method, tpm2_pcrs: registers }: Params): string {
  return method === 'recovery' ? 'present' : shownPcrs(registers)
}

function shownPcrs(registers: readonly number[]): string {
  return registers.length === 0 ? 'bound to no register' : `bound to PCR ${registers.join('+')}`
}

function enrolScript(
  { device, method, key, tpm2_device: tpm, tpm2_pcrs: registers, recovery_key_file: file = '' }: Params,
  isAnew: boolean,
): Sh {
  const unlock = sh`--unlock-key-file=${keyFile('key', requireKey(key, 'to enrol another one'))}`
  if (method === 'tpm2') {
    const words = [
      `--tpm2-device=${tpm}`,
      `--tpm2-pcrs=${registers.join('+')}`,
      ...(isAnew ? ['--wipe-slot=tpm2'] : []),
    ]
    return sh`systemd-cryptenroll ${words} ${unlock} ${device} >&2 || exit`
  }
  return lines(
    sh`umask 077`,
    draftScript(file),
    sh`m=$(systemd-cryptenroll --recovery-key ${unlock} ${device} 2>&1 >"$t") && [ -s "$t" ] && sync "$t" && mv -f -- "$t" ${file} || { r=$?; rm -f -- "$t"; printf '%s\\n' "$m" | head -n 1 >&2; exit $((r?r:1)); }`,
  )
}
