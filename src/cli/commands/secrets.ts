import type { Command } from 'commander'
import { addKeyOptions } from '../options.ts'
import type { ExitWith, KeyFlags } from '../options.ts'

/** `msingi secrets`: what is encrypted in the project, for whom, and what is not and should be. */
export function addSecrets(program: Command, exitWith: ExitWith): void {
  const secrets = program
    .command('secrets')
    .description('encrypt, view and edit what must not be read, and find what lies open')
  addKeys(secrets, exitWith)
  addFiles(secrets, exitWith)
  secrets
    .command('check')
    .description('find secrets in plain text; exit status 2 where there are any')
    .argument('[path...]', 'files and folders', ['.'])
    .action(async (paths: readonly string[]) => {
      const { checkPlaintext } = await import('../secrets-check.ts')
      const { text, isClean } = checkPlaintext(paths)
      process.stdout.write(text)
      exitWith(isClean ? 0 : 2)
    })
}

function addKeys(secrets: Command, exitWith: ExitWith): void {
  secrets
    .command('init')
    .description(
      'make an identity for you, unless there is one, and add it to the recipients of this project',
    )
    .option('--identity <file>', 'where the identity lies, or is put (~/.config/msingi/identity.txt)')
    .action(async ({ identity }: { readonly identity?: string }) => {
      const { initSecrets } = await import('../secrets-keys.ts')
      process.stdout.write(initSecrets(identity, process.env))
      exitWith(0)
    })
  addKeyOptions(
    secrets
      .command('add-recipient')
      .description('let somebody else open the secrets of this project: everything is encrypted anew')
      .argument('<recipient>', 'what `msingi secrets init` or `age-keygen` told them, age1…')
      .argument('[remark]', 'whose it is'),
  ).action(async (recipient: string, remark: string | undefined, flags: KeyFlags) => {
    const { addRecipient } = await import('../secrets-keys.ts')
    process.stdout.write(addRecipient(recipient, remark, flags))
    exitWith(0)
  })
  addKeyOptions(
    secrets
      .command('rekey')
      .description('encrypt everything anew for those in secrets/recipients.txt')
      .argument('[path...]', 'files and folders', ['.']),
  ).action(async (paths: readonly string[], flags: KeyFlags) => {
    const { rekey } = await import('../secrets-keys.ts')
    process.stdout.write(rekey(paths, flags))
    exitWith(0)
  })
}

function addFiles(secrets: Command, exitWith: ExitWith): void {
  addKeyOptions(
    secrets.command('view').description('print what a file holds, decrypted').argument('<file>', 'a file'),
  ).action(async (file: string, flags: KeyFlags) => {
    const { viewFile } = await import('../secrets-files.ts')
    process.stdout.write(viewFile(file, flags))
    exitWith(0)
  })
  addKeyOptions(
    secrets
      .command('edit')
      .description('open an encrypted file in $EDITOR; a new one where there is none')
      .argument('<file>', 'a file such as group_vars/all.age.yml'),
  ).action(async (file: string, flags: KeyFlags) => {
    const { editFile } = await import('../secrets-edit.ts')
    process.stdout.write(await editFile(file, flags, process.env))
    exitWith(0)
  })
  addKeyOptions(
    secrets
      .command('encrypt')
      .description('encrypt a file, also one of ansible-vault or sops; or with --name one value from stdin')
      .argument('[file]', 'x.yml becomes x.age.yml')
      .option('--name <key>', 'print a value as an entry of YAML: `key: !age |`'),
  ).action(async (file: string | undefined, flags: KeyFlags & { readonly name?: string }) => {
    const { encryptFile, encryptValue } = await import('../secrets-files.ts')
    const text = flags.name === undefined ? encryptFile(file, flags) : await encryptValue(flags.name)
    process.stdout.write(text)
    exitWith(0)
  })
  addKeyOptions(
    secrets
      .command('decrypt')
      .description('write what a file holds to another file that only you can read')
      .argument('<file>', 'an encrypted file')
      .requiredOption('--out <file>', 'the file to write, which must not be there yet'),
  ).action(async (file: string, flags: KeyFlags & { readonly out: string }) => {
    const { decryptFile } = await import('../secrets-files.ts')
    process.stdout.write(decryptFile(file, flags.out, flags))
    exitWith(0)
  })
}
