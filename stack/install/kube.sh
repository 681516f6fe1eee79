#!/bin/sh
# etcd, kube-apiserver and kubectl, built from the Go modules that stack/kube/go.mod pins, in the cache. Nothing is built where
# KUBEBUILDER_ASSETS names a folder that holds them (the convention of Kubernetes' own test tools).
. "$(dirname -- "$0")/common.sh"

has_servers() { [ -x "$1/etcd" ] && [ -x "$1/kube-apiserver" ]; }

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  has_servers "$KUBEBUILDER_ASSETS" && [ -x "$KUBEBUILDER_ASSETS/kubectl" ] ||
    fail "KUBEBUILDER_ASSETS is $KUBEBUILDER_ASSETS, where etcd, kube-apiserver or kubectl is missing."
  exit 0
fi
servers=$cache/kube-$KUBERNETES_VERSION-etcd-$ETCD_VERSION
client=$cache/kubectl-$KUBERNETES_VERSION
has_servers "$servers" && [ -x "$client/kubectl" ] && exit 0

modules=$repository/stack/kube
grep -q "k8s.io/kubernetes v$KUBERNETES_VERSION\$" "$modules/go.mod" && grep -q "go.etcd.io/etcd/server/v3 v$ETCD_VERSION\$" "$modules/go.mod" ||
  fail "stack/kube/go.mod and versions.env name other versions of Kubernetes or etcd: make them agree."

# Without the version every component calls itself v0.0.0-master+$Format, and what compares versions misbehaves.
minor=${KUBERNETES_VERSION#1.}
version=k8s.io/component-base/version
ldflags="-s -w -X $version.gitVersion=v$KUBERNETES_VERSION -X $version.gitMajor=1 -X $version.gitMinor=${minor%%.*}"

temporary=$(temporary_beside "$servers")
trap 'rm -rf "$temporary"' EXIT
trap 'kill $build 2>/dev/null; exit 130' INT TERM
mkdir "$temporary/servers" "$temporary/client"
if ! has_servers "$servers"; then
  step "Building etcd $ETCD_VERSION from Go modules (usually 30 to 60 s)" \
    compile "$modules" "$ldflags" go.etcd.io/etcd/server/v3 "$temporary/servers/etcd"
  step "Building kube-apiserver $KUBERNETES_VERSION from Go modules (usually 5 to 6 minutes on two cores, once)" \
    compile "$modules" "$ldflags" k8s.io/kubernetes/cmd/kube-apiserver "$temporary/servers/kube-apiserver"
  "$temporary/servers/kube-apiserver" --version | grep -F "v$KUBERNETES_VERSION" >/dev/null || fail 'The kube-apiserver that was built tells another version.'
  put_in_place "$temporary/servers" "$servers"
fi
if ! [ -x "$client/kubectl" ]; then
  step "Building kubectl $KUBERNETES_VERSION from Go modules (usually 30 to 60 s)" \
    compile "$modules" "$ldflags" k8s.io/kubernetes/cmd/kubectl "$temporary/client/kubectl"
  "$temporary/client/kubectl" version --client | grep -F "v$KUBERNETES_VERSION" >/dev/null || fail 'The kubectl that was built tells another version.'
  put_in_place "$temporary/client" "$client"
fi
