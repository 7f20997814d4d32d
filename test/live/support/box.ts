/** Script that makes `local/box:1`, an image for Docker that needs no registry: busybox and the libraries it is linked with. */
export const BOX = `box=$(mktemp -d); mkdir -p $box/bin $box/tmp; cp /bin/busybox $box/bin/; for name in sh mkdir; do ln -s busybox $box/bin/$name; done
for lib in $(ldd /bin/busybox | grep -o '/[^ ]*'); do mkdir -p $box\${lib%/*}; cp -L $lib $box$lib; done
tar -C $box -c . | docker import -c 'ENV PATH=/bin' - local/box:1; rm -rf $box`
