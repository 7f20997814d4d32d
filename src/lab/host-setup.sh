#!/bin/sh
# Runs inside the new root file system while the image of a throw-away host is built: a minimal Debian as an installer
# would leave it, with an unprivileged login, sudo and sshd.
set -eu

useradd --create-home --shell /bin/bash --comment 'Operator' ops
echo 'ops ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/ops
chmod 0440 /etc/sudoers.d/ops

# Every host gets keys and a name of its own before it starts.
rm -f /etc/ssh/ssh_host_* /etc/machine-id /etc/hostname
mkdir -p /etc/ssh/authorized_keys.d
cat > /etc/ssh/sshd_config.d/10-throwaway.conf <<'END'
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/authorized_keys.d/%u
END
# pam_nologin refuses ops until the host has booted: let sshd answer only then.
mkdir -p /etc/systemd/system/ssh.service.d
printf '[Unit]\nAfter=systemd-user-sessions.service\n' > /etc/systemd/system/ssh.service.d/after-boot.conf

systemctl enable ssh.service
systemctl disable ssh.socket 2>/dev/null || true
systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer man-db.timer systemd-firstboot.service
systemctl set-default multi-user.target
apt-get clean
touch /etc/.updated /var/.updated
