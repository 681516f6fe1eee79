#!/bin/sh
# Installs the SYNAPSE_VERSION of versions.env with the newest packages it accepts and writes them to requirements.txt.
. "$(dirname -- "$0")/common.sh"

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
python3 -m venv "$temporary/venv"
"$temporary/venv/bin/python" -m pip install --disable-pip-version-check --prefer-binary "matrix-synapse==$SYNAPSE_VERSION"
{
  echo '# Everything Synapse needs, pinned: made by `pip freeze` in the finished environment (make freeze-synapse).'
  "$temporary/venv/bin/python" -m pip freeze --disable-pip-version-check
} >"$temporary/requirements.txt"
mv "$temporary/requirements.txt" "$install_folder/requirements.txt"
