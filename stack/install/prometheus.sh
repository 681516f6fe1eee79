#!/bin/sh
# prometheus.sh: prometheus and promtool out of Debian's package, in the cache and not on the machine: its daemon would start there.
# Elsewhere PROMETHEUS_BIN names a folder with both.
. "$(dirname -- "$0")/common.sh"

final=$cache/prometheus-debian
has_both() { [ -x "$1/prometheus" ] && [ -x "$1/promtool" ]; }
if [ -n "${PROMETHEUS_BIN:-}" ]; then
  has_both "$PROMETHEUS_BIN" || fail "PROMETHEUS_BIN is $PROMETHEUS_BIN, where prometheus or promtool is missing."
  exit 0
fi
has_both "$final" && exit 0
[ -e /etc/debian_version ] && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
  fail 'Rules and dashboards are tried on a real Prometheus: set PROMETHEUS_BIN to a folder with prometheus and promtool.'

fetch() {
  # Into a folder that apt's own user may write, or it warns on every line.
  mkdir "$1/package" "$1/final"
  chmod 777 "$1" "$1/package"
  (cd "$1/package" && { apt-get download -q prometheus || { apt-get update -q && apt-get download -q prometheus; }; })
  dpkg-deb -x "$1"/package/prometheus_*.deb "$1/unpacked"
  cp "$1/unpacked/usr/bin/prometheus" "$1/unpacked/usr/bin/promtool" "$1/final/"
  "$1/final/promtool" --version
}

temporary=$(temporary_beside "$final")
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT TERM
step 'Getting Prometheus from Debian (19 MB, usually 5 to 20 s)' fetch "$temporary"
put_in_place "$temporary/final" "$final"
