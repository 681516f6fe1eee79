#!/bin/sh
# helm, with which the chart is tested, built from the Go module that stack/helm/go.mod pins, in the cache. Nothing is built where
# HELM_PATH names one.
. "$(dirname -- "$0")/common.sh"

if [ -n "${HELM_PATH:-}" ]; then
  [ -x "$HELM_PATH" ] || fail "HELM_PATH is $HELM_PATH, where there is no program."
  exit 0
fi
# Without its version helm calls itself v3.19, whatever it is; and without that of Kubernetes it renders for 1.20.
minor=${KUBERNETES_VERSION#1.}
minor=${minor%%.*}
ldflags="-s -w -X helm.sh/helm/v3/internal/version.version=v$HELM_VERSION"
for package in chartutil lint/rules; do
  ldflags="$ldflags -X helm.sh/helm/v3/pkg/$package.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/$package.k8sVersionMinor=$minor"
done
go_program helm "$HELM_VERSION" "$repository/stack/helm" helm.sh/helm/v3 helm.sh/helm/v3/cmd/helm "$ldflags" 'version --short'
