#!/bin/sh
# e2e-up.sh: a real cluster with our images on its nodes, for `make e2e-run` and `make kind-demo`. What is there already is used again.
#
# E2E_KUBECONFIG    a cluster of yours, instead of a kind one here; its nodes have to be able to fetch the images that E2E_IMAGES names
#
#   docker.sh -> { kind-node.sh   e2e-images.sh } -> kind create cluster -> kind load -> <cache>/e2e/settings
. "$(dirname -- "$0")/common.sh"
. "$install_folder/docker.sh"

state=$cache/e2e
name=citypresence
mkdir -p "$state"
began=$(date +%s)

# settings <line>...: what `make e2e-run` hands to the tests.
settings() {
  printf '%s\n' "$@" >"$state/settings.new"
  mv "$state/settings.new" "$state/settings"
}

sh "$install_folder/machine.sh" go
sh "$install_folder/kube.sh"
sh "$install_folder/helm.sh"
if [ -n "${E2E_KUBECONFIG:-}" ]; then
  settings "KUBECONFIG=$E2E_KUBECONFIG" "E2E_IMAGES=${E2E_IMAGES:-citypresence}" "E2E_NODES="
  say "The cluster is that of $E2E_KUBECONFIG; its images are ${E2E_IMAGES:-citypresence}/..."
  exit 0
fi

sh "$install_folder/machine.sh" kind
start_docker
sh "$install_folder/kind-programs.sh" kind
kind=$cache/kind-$KIND_VERSION/kind
KUBECONFIG=$state/kubeconfig
export KUBECONFIG

# Side by side: the one mostly compiles Go, the other mostly waits for packages.
jobs=''
trap 'kill $jobs 2>/dev/null' EXIT
trap 'exit 130' INT TERM
sh "$install_folder/e2e-images.sh" >"$state/images" &
jobs=$!
node=$(sh "$install_folder/kind-node.sh")
wait "$jobs"
jobs=''

create() { "$kind" create cluster --name "$name" --config "$repository/stack/kind/cluster.yaml" --image "$node" --wait 180s; }
if ! "$kind" get clusters 2>/dev/null | grep -qx "$name"; then
  step "Creating the kind cluster $name of three nodes (usually 20 to 60 s)" create
fi
# What the city leans on lies on the control plane alone, where no test takes it away.
# shellcheck disable=SC2046
load() {
  # Word splitting is meant: one name an argument.
  "$kind" load docker-image --name "$name" $(grep -v -e /synapse: -e /nats: "$state/images") &&
    "$kind" load docker-image --name "$name" --nodes "$name-control-plane" $(grep -e /synapse: -e /nats: "$state/images")
}
step 'Loading the images into the nodes (usually 10 to 60 s; those that are there stay)' load

settings "KUBECONFIG=$KUBECONFIG" "E2E_IMAGES=citypresence" "E2E_NODES=kind" "E2E_CLUSTER=$name" ${DOCKER_HOST:+"DOCKER_HOST=$DOCKER_HOST"}
say 'Images:'
while read -r image; do
  say "  $image  $(docker image inspect --format '{{.Size}}' "$image" | awk '{ printf "%d MB", $1 / 1000000 }')"
done <"$state/images"
say "The cluster is up after $(($(date +%s) - began)) s: export KUBECONFIG=$KUBECONFIG"
