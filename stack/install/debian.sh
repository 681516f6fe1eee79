#!/bin/sh
# debian.sh: prints the name of a Debian image that images can stand on. The public one where it can be pulled; else the same made by
# debootstrap from Debian's packages, once: the daemon keeps it.
. "$(dirname -- "$0")/common.sh"
. "$install_folder/docker.sh"
use_docker || fail 'No docker daemon answers.'

public=debian:12-slim
local_one=citypresence/debian:12
# Asked for before it is pulled, and briefly: where no registry can be reached a pull tries for minutes.
can_pull() { timeout 20 docker manifest inspect "$1" >/dev/null 2>&1 && docker pull --quiet "$1" >/dev/null 2>&1; }
has_image() { docker image inspect "$1" >/dev/null 2>&1; }

for name in "$public" "$local_one"; do
  ! has_image "$name" || { echo "$name"; exit 0; }
done
if can_pull "$public"; then
  echo "$public"
  exit 0
fi
say "$public cannot be pulled here: making $local_one from Debian packages."

temporary=$(temporary_beside "$cache/debian")
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT TERM
make_debian() {
  PATH=$PATH:/usr/sbin:/sbin debootstrap --variant=minbase --include=ca-certificates bookworm "$temporary/rootfs"
  rm -rf "$temporary"/rootfs/var/lib/apt/lists/* "$temporary"/rootfs/var/cache/apt/* "$temporary"/rootfs/var/log/* \
    "$temporary"/rootfs/usr/share/doc/* "$temporary"/rootfs/usr/share/man/* "$temporary"/rootfs/usr/share/locale/*
  tar -C "$temporary/rootfs" --numeric-owner --one-file-system -c . | docker import - "$local_one"
}
step "Making $local_one with debootstrap (usually 20 to 60 s, once)" make_debian >&2
echo "$local_one"
