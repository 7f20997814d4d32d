/** What the roles `base` and `hardening` install. */
export const PACKAGES: readonly string[] = `ca-certificates curl jq less lsof rsync tmux
  chrony needrestart unattended-upgrades locales
  nftables fail2ban python3-systemd auditd acct sysstat apparmor apparmor-utils
  libpam-pwquality cracklib-runtime libpam-tmpdir debsums aide aide-common`.split(/\s+/)
