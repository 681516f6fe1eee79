#!/bin/sh
# kind-node.sh: prints the name of the image that kind's nodes are made of.
#
# KIND_NODE_IMAGE    rules, where it is set. Else the public one where it can be pulled; else one of our own, assembled once:
#
#   kind-programs.sh node --> images of the cluster's own pods --> kubernetes-server tarball --\
#   debian.sh --> stack/kind/node/Dockerfile --> base ------------------------------------------- kind build node-image --> name
. "$(dirname -- "$0")/common.sh"
. "$install_folder/docker.sh"
use_docker || fail 'No docker daemon answers.'
export DOCKER_BUILDKIT=0

has_image() { docker image inspect "$1" >/dev/null 2>&1; }
can_pull() { timeout 20 docker manifest inspect "$1" >/dev/null 2>&1 && docker pull --quiet "$1" >/dev/null 2>&1; }
answer() {
  echo "$1"
  exit 0
}

[ -z "${KIND_NODE_IMAGE:-}" ] || answer "$KIND_NODE_IMAGE"
public=kindest/node:v$KUBERNETES_VERSION
modules=$repository/stack/kind
# Whatever the image is made of is in its name.
recipe=$(cat "$0" "$install_folder/kind-node-part.sh" "$install_folder/versions.env" "$modules/go.sum" "$modules/network/main.go" "$modules"/node/* "$modules/dns/go.sum" | sha256sum | head -c 8)
ours=citypresence/kind-node:v$KUBERNETES_VERSION-$recipe
for name in "$ours" "$public"; do
  ! has_image "$name" || answer "$name"
done
! can_pull "$public" || answer "$public"
say "$public cannot be pulled here: assembling one of our own from package registries."

sh "$install_folder/kube.sh" >&2
sh "$install_folder/kind-programs.sh" node >&2
debian=$(sh "$install_folder/debian.sh")
temporary=$(temporary_beside "$cache/kind-node")
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT TERM

part() { sh "$install_folder/kind-node-part.sh" "$1" "$temporary" "$debian" "$ours"; }
step 'Building the base of a node (usually 30 to 60 s, once)' part base >&2
step 'Building the images of the cluster itself (usually 20 to 60 s, once)' part images >&2
step "Assembling $ours (usually 30 to 60 s, once)" part node >&2
has_image "$ours" || fail "kind has built no $ours."
answer "$ours"
