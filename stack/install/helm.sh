#!/bin/sh
# helm, with which the chart is tested, built from the Go module that stack/helm/go.mod pins, in the cache. Nothing is built where
# HELM_PATH names one.
. "$(dirname -- "$0")/common.sh"

if [ -n "${HELM_PATH:-}" ]; then
  [ -x "$HELM_PATH" ] || fail "HELM_PATH is $HELM_PATH, where there is no program."
  exit 0
fi
final=$cache/helm-$HELM_VERSION
[ -x "$final/helm" ] && exit 0

modules=$repository/stack/helm
grep -q "helm.sh/helm/v3 v$HELM_VERSION\$" "$modules/go.mod" ||
  fail 'stack/helm/go.mod and versions.env name other versions of helm: make them agree.'

temporary=$(temporary_beside "$final")
trap 'rm -rf "$temporary"' EXIT
trap 'kill $build 2>/dev/null; exit 130' INT TERM
mkdir "$temporary/final"
# Without its version helm calls itself v3.19, whatever it is; and without that of Kubernetes it renders for 1.20.
minor=${KUBERNETES_VERSION#1.}
minor=${minor%%.*}
ldflags="-s -w -X helm.sh/helm/v3/internal/version.version=v$HELM_VERSION"
for package in chartutil lint/rules; do
  ldflags="$ldflags -X helm.sh/helm/v3/pkg/$package.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/$package.k8sVersionMinor=$minor"
done
step "Building helm $HELM_VERSION from Go modules (usually 1 to 2 minutes on two cores, once)" \
  compile "$modules" "$ldflags" helm.sh/helm/v3/cmd/helm "$temporary/final/helm"
"$temporary/final/helm" version --short | grep -F "v$HELM_VERSION" >/dev/null || fail 'The helm that was built tells another version.'
put_in_place "$temporary/final" "$final"
