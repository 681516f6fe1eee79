#!/bin/sh
# etcd and kube-apiserver, built from the Go modules that stack/kube/go.mod pins, in the cache. Nothing is built where
# KUBEBUILDER_ASSETS names a folder that holds both (the convention of Kubernetes' own test tools).
. "$(dirname -- "$0")/common.sh"

has_both() { [ -x "$1/etcd" ] && [ -x "$1/kube-apiserver" ]; }

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  has_both "$KUBEBUILDER_ASSETS" || fail "KUBEBUILDER_ASSETS is $KUBEBUILDER_ASSETS, where etcd or kube-apiserver is missing."
  exit 0
fi
final=$cache/kube-$KUBERNETES_VERSION-etcd-$ETCD_VERSION
has_both "$final" && exit 0

modules=$repository/stack/kube
grep -q "k8s.io/kubernetes v$KUBERNETES_VERSION\$" "$modules/go.mod" && grep -q "go.etcd.io/etcd/server/v3 v$ETCD_VERSION\$" "$modules/go.mod" ||
  fail "stack/kube/go.mod and versions.env name other versions of Kubernetes or etcd: make them agree."

# Without the version every component calls itself v0.0.0-master+$Format, and what compares versions misbehaves.
minor=${KUBERNETES_VERSION#1.}
version=k8s.io/component-base/version
ldflags="-s -w -X $version.gitVersion=v$KUBERNETES_VERSION -X $version.gitMajor=1 -X $version.gitMinor=${minor%%.*}"

temporary=$(temporary_beside "$final")
trap 'rm -rf "$temporary"' EXIT
trap 'kill $build 2>/dev/null; exit 130' INT TERM
mkdir "$temporary/final"
step "Building etcd $ETCD_VERSION from Go modules (usually 30 to 60 s)" compile "$modules" "$ldflags" go.etcd.io/etcd/server/v3 "$temporary/final/etcd"
step "Building kube-apiserver $KUBERNETES_VERSION from Go modules (usually 5 to 6 minutes on two cores, once)" \
  compile "$modules" "$ldflags" k8s.io/kubernetes/cmd/kube-apiserver "$temporary/final/kube-apiserver"
"$temporary/final/kube-apiserver" --version | grep -F "v$KUBERNETES_VERSION" >/dev/null || fail 'The kube-apiserver that was built tells another version.'
put_in_place "$temporary/final" "$final"
