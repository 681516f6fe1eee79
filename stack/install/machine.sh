#!/bin/sh
# machine.sh npm|python|chromium|faketime|go|model|kind...: what has to be on the machine itself. As root on Debian (or Ubuntu) it is installed,
# elsewhere one sentence says what is missing. Nothing happens, not even `apt-get update`, when everything is there.
. "$(dirname -- "$0")/common.sh"

has_npm() { command -v npm >/dev/null && command -v node >/dev/null; }
# Debian splits ensurepip off: `import venv` alone works without it and then makes a broken environment.
has_python() { python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }
has_chromium() {
  [ -n "${CHROMIUM_PATH:-}" ] && [ -x "$CHROMIUM_PATH" ] && return 0
  for place in chromium chromium-browser google-chrome; do [ -x "/usr/bin/$place" ] && return 0; done
  [ -x '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome' ]
}
# Without any font a page has no text, and the screenshots none either.
has_fonts() { [ "$(uname -s)" != Linux ] || [ -n "$(find /usr/share/fonts "${HOME:-/nowhere}/.fonts" -name '*.[to]tf' 2>/dev/null | head -n 1)" ]; }

# A wall clock that jumps, for tests of faults. Where it cannot be had, those faults are reported as not run.
can_install() { [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null; }
has_faketime() { ! can_install || [ -n "$(find /usr/lib -path '*/faketime/libfaketime.so.1' 2>/dev/null | head -n 1)" ]; }

# Only where something still has to be built with it. Debian's own Go is too old for that, so it is not installed for you.
needs_kube() {
  [ -z "${KUBEBUILDER_ASSETS:-}" ] || return 1
  [ ! -x "$cache/kube-$KUBERNETES_VERSION-etcd-$ETCD_VERSION/kube-apiserver" ] || [ ! -x "$cache/kubectl-$KUBERNETES_VERSION/kubectl" ]
}
needs_helm() { [ -z "${HELM_PATH:-}" ] && [ ! -x "$cache/helm-$HELM_VERSION/helm" ]; }
needs_collector() { [ -z "${OTEL_COLLECTOR_PATH:-}" ] && [ ! -x "$cache/otel-collector-$OTEL_COLLECTOR_VERSION/otel-collector" ]; }
needs_go() { needs_kube || needs_helm || needs_collector; }
has_go() {
  found=$(go env GOVERSION 2>/dev/null) || return 1
  [ "$(printf '%s\n%s\n' "$GO_LOWEST" "${found#go}" | sort -V | head -n 1)" = "$GO_LOWEST" ]
}

# Spin writes C; without the headers of the C library no compiler makes a program of it.
has_compiler() { command -v cc >/dev/null && echo '#include <stdio.h>' | cc -E - >/dev/null 2>&1; }

# A docker daemon that answers, or one to start; debootstrap and a compiler only where no registry can be reached, which is known later.
has_docker() { command -v docker >/dev/null && { docker info >/dev/null 2>&1 || command -v dockerd >/dev/null || [ -x /usr/sbin/dockerd ]; }; }
has_debootstrap() { command -v debootstrap >/dev/null || [ -x /usr/sbin/debootstrap ]; }

missing=''
for part in "$@"; do
  case $part in
    npm) has_npm || missing="$missing nodejs npm" ;;
    python) has_python || missing="$missing python3 python3-venv" ;;
    chromium)
      has_chromium || missing="$missing chromium"
      has_fonts || missing="$missing fonts-dejavu-core fonts-liberation"
      ;;
    faketime) has_faketime || missing="$missing libfaketime" ;;
    go)
      ! needs_go || has_go ||
        fail "Tests run on a real kube-apiserver, with helm and an OpenTelemetry collector, which are built with Go >= $GO_LOWEST: install Go, or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl, HELM_PATH to a helm and OTEL_COLLECTOR_PATH to a collector."
      ;;
    model)
      command -v spin >/dev/null || missing="$missing spin"
      has_compiler || missing="$missing gcc libc6-dev"
      ;;
    kind)
      has_docker || missing="$missing docker.io"
      has_debootstrap || missing="$missing debootstrap"
      has_compiler || missing="$missing gcc libc6-dev"
      ;;
    *) fail "machine.sh does not know '$part'" ;;
  esac
done
[ -n "$missing" ] || exit 0

if ! can_install; then
  fail "This machine lacks:$missing. Install them (on Debian, as root: apt-get install$missing) and run the same command again."
fi

export DEBIAN_FRONTEND=noninteractive
step 'Reading the Debian package lists (usually 5 to 20 s)' apt-get update -q
# Word splitting is meant: one name an argument.
# shellcheck disable=SC2086
step "Installing the Debian packages$missing (usually 10 to 60 s)" apt-get install -q -y --no-install-recommends $missing
