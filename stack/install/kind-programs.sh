#!/bin/sh
# kind-programs.sh kind|node: programs built from Go modules into the cache.
#
#   kind    kind itself (stack/kind/go.mod)
#   node    what a node of it holds, for a machine that can pull no node image: kubeadm, kubelet and the servers (stack/kube/go.mod),
#           containerd, network plugins, network (stack/kind/go.mod), storage and CoreDNS (modules of their own below it)
. "$(dirname -- "$0")/common.sh"

modules=$repository/stack/kind
pinned() { grep -q "$2 v$3\$" "$1/go.mod" || fail "${1#"$repository"/}/go.mod and versions.env name other versions of $2: make them agree."; }
# <final> <what it does> <folder> <linker flags> <package>...
build_once() {
  final=$1 what=$2
  shift 2
  [ ! -d "$final" ] || return 0
  temporary=$(temporary_beside "$final")
  trap 'rm -rf "$temporary"' EXIT
  trap 'kill $build 2>/dev/null; exit 130' INT TERM
  folder=$1 flags=$2
  shift 2
  step "$what" compile_all "$folder" "$flags" "$temporary" "$@"
  put_in_place "$temporary" "$final"
}

# Nothing of these needs a C library: they run in any image.
without_c() { CGO_ENABLED=0 GOFLAGS="-tags=no_aufs,no_zfs,no_btrfs,no_devmapper" build_once "$@"; }

pinned "$modules" sigs.k8s.io/kind "$KIND_VERSION"
without_c "$cache/kind-$KIND_VERSION" "Building kind $KIND_VERSION from Go modules (usually 10 to 30 s, once)" \
  "$modules" '-s -w' sigs.k8s.io/kind
[ "${1:-}" != kind ] || exit 0

pinned "$modules" github.com/containerd/containerd/v2 "$CONTAINERD_VERSION"
plugins=github.com/containernetworking/plugins/plugins
without_c "$cache/kind-node-programs-$(cat "$modules/go.sum" "$modules/network/main.go" | sha256sum | head -c 8)" \
  'Building containerd and the network of a node from Go modules (usually 2 to 3 minutes on two cores, once)' \
  "$modules" "-s -w -X github.com/containerd/containerd/v2/version.Version=v$CONTAINERD_VERSION" \
  github.com/containerd/containerd/v2/cmd/containerd github.com/containerd/containerd/v2/cmd/ctr \
  github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2 \
  $plugins/ipam/host-local $plugins/main/loopback $plugins/main/ptp $plugins/meta/portmap \
  citypresence.invalid/kind/network

pinned "$modules/storage" github.com/rancher/local-path-provisioner "$LOCAL_PATH_VERSION"
without_c "$cache/local-path-$LOCAL_PATH_VERSION" "Building the storage of a node from Go modules (usually 1 to 2 minutes on two cores, once)" \
  "$modules/storage" '-s -w' github.com/rancher/local-path-provisioner

pinned "$modules/dns" github.com/coredns/coredns "$COREDNS_VERSION"
without_c "$cache/coredns-$COREDNS_VERSION" "Building CoreDNS $COREDNS_VERSION from Go modules (usually 1 to 2 minutes on two cores, once)" \
  "$modules/dns" '-s -w' citypresence.invalid/dns

minor=${KUBERNETES_VERSION#1.}
version=k8s.io/component-base/version
build_once "$cache/kube-node-$KUBERNETES_VERSION" \
  "Building kubeadm, kubelet, kube-proxy, scheduler and controllers $KUBERNETES_VERSION from Go modules (usually 3 to 6 minutes on two cores, once)" \
  "$repository/stack/kube" "-s -w -X $version.gitVersion=v$KUBERNETES_VERSION -X $version.gitMajor=1 -X $version.gitMinor=${minor%%.*}" \
  k8s.io/kubernetes/cmd/kubeadm k8s.io/kubernetes/cmd/kubelet k8s.io/kubernetes/cmd/kube-proxy \
  k8s.io/kubernetes/cmd/kube-scheduler k8s.io/kubernetes/cmd/kube-controller-manager
