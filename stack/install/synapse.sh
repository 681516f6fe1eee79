#!/bin/sh
# A Python environment with Synapse and exactly the packages of requirements.txt, in the cache.
. "$(dirname -- "$0")/common.sh"

final=$cache/synapse-$SYNAPSE_VERSION
[ -x "$final/bin/python" ] && exit 0

build() {
  python3 -m venv "$1"
  # Wheels where there are any: building Synapse from source would need a Rust compiler.
  "$1/bin/python" -m pip install --quiet --disable-pip-version-check --prefer-binary --requirement "$install_folder/requirements.txt"
  "$1/bin/python" -c 'import synapse.app.homeserver'
}

temporary=$(temporary_beside "$final")
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT TERM
step "Installing Synapse $SYNAPSE_VERSION from PyPI (usually 30 to 60 s)" build "$temporary"
# The environment finds itself through the place of its python, so it may be moved; only its other commands may not be
# used afterwards, and none is.
put_in_place "$temporary" "$final"
