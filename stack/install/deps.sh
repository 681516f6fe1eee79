#!/bin/sh
# deps.sh model|demo|all: everything the model, a demo or all tests need. First what the machine itself must have, then the
# independent downloads side by side.
#
#   machine.sh -> node.sh -> { npm.sh  synapse.sh  nats-server.sh (current)  nats-server.sh (old)  prometheus.sh  kube.sh  helm.sh  collector.sh }
. "$(dirname -- "$0")/common.sh"

case $1 in
  model) parts='npm model' ;;
  demo) parts='npm python' ;;
  all) parts='npm python chromium faketime go model' ;;
  *) fail 'deps.sh takes model, demo or all' ;;
esac

# npm is needed even beside a new Node; word splitting is meant.
# shellcheck disable=SC2086
sh "$install_folder/machine.sh" $parts
sh "$install_folder/node.sh" >/dev/null

# What killed downloads left behind, once it is a day old and surely nobody's work under way.
find "$cache" -maxdepth 2 \( -name '*.part' -o -name '*.building' \) -mtime +0 -exec rm -rf {} + 2>/dev/null || true

jobs=''
# Background jobs of a script do not hear Ctrl-C by themselves.
trap 'kill $jobs 2>/dev/null; exit 130' INT TERM
side_by_side() {
  sh "$install_folder/$@" &
  jobs="$jobs $!"
}
side_by_side npm.sh
[ "$1" = model ] || side_by_side synapse.sh
[ "$1" = model ] || side_by_side nats-server.sh "$NATS_SERVER_VERSION"
[ "$1" != all ] || side_by_side nats-server.sh "$NATS_SERVER_OLD_VERSION"
[ "$1" != all ] || side_by_side prometheus.sh
# The longest by far: minutes of compiling, once.
[ "$1" != all ] || side_by_side kube.sh
[ "$1" != all ] || side_by_side helm.sh
[ "$1" != all ] || side_by_side collector.sh

failed=0
for job in $jobs; do wait "$job" || failed=1; done
exit $failed
