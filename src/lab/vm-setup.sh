#!/bin/sh
# Runs inside the new root file system of a virtual machine, after host-setup.sh.
set -eu

printf 'LABEL=msingi-root / ext4 errors=remount-ro 0 1\n' > /etc/fstab

# The lab starts the kernel and hands over a second archive with the machine's identity; it is put in place once.
cat > /etc/initramfs-tools/scripts/init-bottom/throwaway-identity <<'END'
#!/bin/sh
[ "$1" = prereqs ] && exit 0
[ -d /throwaway ] || exit 0
[ -e "$rootmnt/etc/throwaway-identity" ] && exit 0
. /scripts/functions
# The mount of this small system wants a source, even one that is not looked at.
mount -o remount,rw root "$rootmnt" && cp -a /throwaway/. "$rootmnt/" && : > "$rootmnt/etc/throwaway-identity" ||
  panic "the machine's identity cannot be written"
sync
mount -o remount,ro root "$rootmnt"
END
chmod 0755 /etc/initramfs-tools/scripts/init-bottom/throwaway-identity
# Only what finds the root disk: a full archive takes an emulated processor half a minute to unpack.
sed -i 's/^MODULES=.*/MODULES=list/; s/^COMPRESS=.*/COMPRESS=gzip/' /etc/initramfs-tools/initramfs.conf
printf 'virtio_pci\nvirtio_blk\next4\n' > /etc/initramfs-tools/modules
update-initramfs -u

systemctl enable systemd-networkd.service
systemctl mask systemd-networkd-wait-online.service
# Whoever sits at the console of a throw-away machine may do everything there.
mkdir -p /etc/systemd/system/serial-getty@ttyS0.service.d
cat > /etc/systemd/system/serial-getty@ttyS0.service.d/root.conf <<'END'
[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --noclear 115200 %I linux
END
