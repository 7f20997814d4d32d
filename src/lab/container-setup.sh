#!/bin/sh
# Runs inside the new root file system of a container, after host-setup.sh.
set -eu

# Nothing a container has.
systemctl mask console-getty.service dev-hugepages.mount dev-mqueue.mount sys-fs-fuse-connections.mount \
  systemd-update-utmp-runlevel.service
