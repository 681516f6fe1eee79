#!/bin/sh
# The npm packages of package-lock.json, exactly, without their scripts; again only when that file has changed. The stamp lies
# inside node_modules, so it goes with it, and is written last, so that an interrupted installation is not taken for a whole one.
. "$(dirname -- "$0")/common.sh"

cd "$repository"
stamp=node_modules/.city-presence-lock
cmp -s package-lock.json "$stamp" && exit 0
rm -f "$stamp"
step 'Installing the npm packages of package-lock.json (usually 15 to 60 s)' \
  sh "$install_folder/with-node.sh" npm ci --ignore-scripts --no-audit --no-fund
cp package-lock.json "$stamp"
