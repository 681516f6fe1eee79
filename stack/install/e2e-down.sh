#!/bin/sh
# e2e-down.sh: deletes the kind cluster of the tests, and stops the docker daemon if it is the one that e2e-up.sh started. Images stay in
# the cache.
. "$(dirname -- "$0")/common.sh"
. "$install_folder/docker.sh"

kind=$cache/kind-$KIND_VERSION/kind
name=citypresence
if use_docker && [ -x "$kind" ] && "$kind" get clusters 2>/dev/null | grep -qx "$name"; then
  step "Deleting the kind cluster $name (usually 2 to 5 s)" "$kind" delete cluster --name "$name" --kubeconfig "$cache/e2e/kubeconfig"
fi
rm -f "$cache/e2e/settings" "$cache/e2e/kubeconfig"
stop_docker
