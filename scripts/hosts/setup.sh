#!/bin/sh
# Runs inside the new root file system while an image is built: turns a minimal Debian into a host as an
# administrator would find it, with an unprivileged login, sudo, sshd and a small package repository of its own.
set -eu
export DEBIAN_FRONTEND=noninteractive

useradd --create-home --shell /bin/bash --comment 'Operator' ops
echo 'ops ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/ops
chmod 0440 /etc/sudoers.d/ops

# Keys are put into the container before it starts, so that every host has an identity of its own.
rm -f /etc/ssh/ssh_host_*
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
systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer systemd-firstboot.service console-getty.service
# Nothing a container has; dozens of hosts boot at once on two processors.
systemctl mask dev-hugepages.mount dev-mqueue.mount sys-fs-fuse-connections.mount systemd-update-utmp-runlevel.service
systemctl set-default multi-user.target
# An empty machine-id would make systemd treat every start as the first; each host gets one of its own, like its keys.
rm -f /etc/machine-id
rm -f /etc/hostname

# Real packages, fetched now so that hosts need no network later; the arguments name more of them.
mkdir -p /opt/repo/partial
apt-get install --yes --no-install-recommends --download-only -o Dir::Cache::archives=/opt/repo less tree rsync cron opendoas acl curl git locales "$@"

# Packages made here: two versions, a service, one that cannot be installed, one that takes its time.
# pack NAME VERSION DEPENDS - packs the tree in /tmp/pack.
pack() {
  mkdir -p /tmp/pack/DEBIAN
  cat > /tmp/pack/DEBIAN/control <<END
Package: $1
Version: $2
Architecture: all
Maintainer: Sample Maintainers <sample@localhost>
Section: misc
Priority: optional
${3:+Depends: $3
}Description: Sample package for throw-away hosts
END
  dpkg-deb --root-owner-group --build /tmp/pack "/opt/repo/$1_$2_all.deb"
  rm -rf /tmp/pack
}

for version in 1.0 1.1; do
  mkdir -p /tmp/pack/usr/share/sample-greeting
  echo "$version" > /tmp/pack/usr/share/sample-greeting/version
  mkdir -p /tmp/pack/DEBIAN /tmp/pack/etc
  echo 'greeting = hello' > /tmp/pack/etc/sample-greeting.conf
  echo /etc/sample-greeting.conf > /tmp/pack/DEBIAN/conffiles
  pack sample-greeting "$version" ''
done

mkdir -p /tmp/pack/usr/lib/systemd/system /tmp/pack/usr/sbin /tmp/pack/DEBIAN /tmp/pack/etc
printf '#!/bin/sh\nexec sleep infinity\n' > /tmp/pack/usr/sbin/sample-daemon
chmod 0755 /tmp/pack/usr/sbin/sample-daemon
cat > /tmp/pack/usr/lib/systemd/system/sample-daemon.service <<'END'
[Unit]
Description=Sample daemon

[Service]
ExecStart=/usr/sbin/sample-daemon
ExecReload=/bin/true

[Install]
WantedBy=multi-user.target
END
cat > /tmp/pack/DEBIAN/postinst <<'END'
#!/bin/sh
set -e
getent passwd sampled > /dev/null || useradd --system --no-create-home --shell /usr/sbin/nologin sampled
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
END
chmod 0755 /tmp/pack/DEBIAN/postinst
pack sample-daemon 2.0 sample-greeting

mkdir -p /tmp/pack/DEBIAN
printf '#!/bin/sh\necho "sample-broken: cannot be set up here" >&2\nexit 3\n' > /tmp/pack/DEBIAN/postinst
chmod 0755 /tmp/pack/DEBIAN/postinst
pack sample-broken 1.0 ''

mkdir -p /tmp/pack/DEBIAN
printf '#!/bin/sh\nfor n in 1 2 3 4 5; do echo "sample-slow: step $n of 5"; sleep 1; done\n' > /tmp/pack/DEBIAN/postinst
chmod 0755 /tmp/pack/DEBIAN/postinst
pack sample-slow 1.0 ''

cd /opt/repo
rm -rf partial lock
for deb in *.deb; do
  dpkg-deb --field "$deb"
  printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' \
    "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
done > Packages

rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/opt/repo ./' > /etc/apt/sources.list.d/throwaway.list
apt-get update
apt-get clean
touch /etc/.updated /var/.updated
