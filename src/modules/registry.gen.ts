// Written by `npm run gen` from the files of this folder.
import { acl } from './acl.ts'
import { acme_certificate } from './acme_certificate.ts'
import { add_host } from './add_host.ts'
import { apk } from './apk.ts'
import { apt } from './apt.ts'
import { archive } from './archive.ts'
import { assert } from './assert.ts'
import { authorized_key } from './authorized_key.ts'
import { blockinfile } from './blockinfile.ts'
import { certificate_facts } from './certificate_facts.ts'
import { clevis } from './clevis.ts'
import { command } from './command.ts'
import { copy } from './copy.ts'
import { cron } from './cron.ts'
import { cryptenroll } from './cryptenroll.ts'
import { crypttab } from './crypttab.ts'
import { deb822_repository } from './deb822_repository.ts'
import { debconf } from './debconf.ts'
import { debug } from './debug.ts'
import { dnf } from './dnf.ts'
import { docker_compose } from './docker_compose.ts'
import { docker_image } from './docker_image.ts'
import { docker_network } from './docker_network.ts'
import { docker_prune } from './docker_prune.ts'
import { docker_volume } from './docker_volume.ts'
import { dpkg_selections } from './dpkg_selections.ts'
import { fail } from './fail.ts'
import { fetch } from './fetch.ts'
import { file } from './file.ts'
import { filesystem } from './filesystem.ts'
import { find } from './find.ts'
import { get_url } from './get_url.ts'
import { getent } from './getent.ts'
import { git } from './git.ts'
import { group } from './group.ts'
import { group_by } from './group_by.ts'
import { hostname } from './hostname.ts'
import { htpasswd } from './htpasswd.ts'
import { include_vars } from './include_vars.ts'
import { ini_file } from './ini_file.ts'
import { known_hosts } from './known_hosts.ts'
import { lineinfile } from './lineinfile.ts'
import { locale_gen } from './locale_gen.ts'
import { luks_device } from './luks_device.ts'
import { lvg } from './lvg.ts'
import { lvol } from './lvol.ts'
import { modprobe } from './modprobe.ts'
import { mount } from './mount.ts'
import { nftables } from './nftables.ts'
import { openssh_keypair } from './openssh_keypair.ts'
import { openssl_privatekey } from './openssl_privatekey.ts'
import { packageModule } from './package.ts'
import { package_facts } from './package_facts.ts'
import { pam_limits } from './pam_limits.ts'
import { parted } from './parted.ts'
import { pause } from './pause.ts'
import { ping } from './ping.ts'
import { reboot } from './reboot.ts'
import { replace } from './replace.ts'
import { script } from './script.ts'
import { service_facts } from './service_facts.ts'
import { set_fact } from './set_fact.ts'
import { shell } from './shell.ts'
import { slurp } from './slurp.ts'
import { sshd_config } from './sshd_config.ts'
import { stat } from './stat.ts'
import { sudoers } from './sudoers.ts'
import { synchronize } from './synchronize.ts'
import { sysctl } from './sysctl.ts'
import { systemd } from './systemd.ts'
import { systemd_timer } from './systemd_timer.ts'
import { systemd_unit } from './systemd_unit.ts'
import { tempfile } from './tempfile.ts'
import { template } from './template.ts'
import { timezone } from './timezone.ts'
import { ufw } from './ufw.ts'
import { unarchive } from './unarchive.ts'
import { uri } from './uri.ts'
import { user } from './user.ts'
import { wait_for } from './wait_for.ts'
import { wait_for_connection } from './wait_for_connection.ts'
import { x509_certificate } from './x509_certificate.ts'
import type { AnyModule } from './module.ts'

const all: readonly AnyModule[] = [
  acl,
  acme_certificate,
  add_host,
  apk,
  apt,
  archive,
  assert,
  authorized_key,
  blockinfile,
  certificate_facts,
  clevis,
  command,
  copy,
  cron,
  cryptenroll,
  crypttab,
  deb822_repository,
  debconf,
  debug,
  dnf,
  docker_compose,
  docker_image,
  docker_network,
  docker_prune,
  docker_volume,
  dpkg_selections,
  fail,
  fetch,
  file,
  filesystem,
  find,
  get_url,
  getent,
  git,
  group,
  group_by,
  hostname,
  htpasswd,
  include_vars,
  ini_file,
  known_hosts,
  lineinfile,
  locale_gen,
  luks_device,
  lvg,
  lvol,
  modprobe,
  mount,
  nftables,
  openssh_keypair,
  openssl_privatekey,
  packageModule,
  package_facts,
  pam_limits,
  parted,
  pause,
  ping,
  reboot,
  replace,
  script,
  service_facts,
  set_fact,
  shell,
  slurp,
  sshd_config,
  stat,
  sudoers,
  synchronize,
  sysctl,
  systemd,
  systemd_timer,
  systemd_unit,
  tempfile,
  template,
  timezone,
  ufw,
  unarchive,
  uri,
  user,
  wait_for,
  wait_for_connection,
  x509_certificate,
]

/** Every module, by its name and by its aliases. */
export const modules: ReadonlyMap<string, AnyModule> = new Map(
  all.flatMap(module => [module.name, ...(module.aliases ?? [])].map(name => [name, module])),
)
