#!/bin/sh
# with-node.sh command...: runs it with the project's Node (and its npm packages' commands) first in the PATH.
. "$(dirname -- "$0")/common.sh"
node=$(sh "$install_folder/node.sh")
PATH=$(dirname -- "$node"):$repository/node_modules/.bin:$PATH
export PATH
exec "$@"
