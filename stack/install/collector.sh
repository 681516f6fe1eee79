#!/bin/sh
# An OpenTelemetry collector, built from the Go modules that stack/collector/go.mod pins, in the cache. Nothing is built where
# OTEL_COLLECTOR_PATH names one.
. "$(dirname -- "$0")/common.sh"

if [ -n "${OTEL_COLLECTOR_PATH:-}" ]; then
  [ -x "$OTEL_COLLECTOR_PATH" ] || fail "OTEL_COLLECTOR_PATH is $OTEL_COLLECTOR_PATH, where there is no program."
  exit 0
fi
final=$cache/otel-collector-$OTEL_COLLECTOR_VERSION
[ -x "$final/otel-collector" ] && exit 0

modules=$repository/stack/collector
grep -q "go.opentelemetry.io/collector/otelcol v$OTEL_COLLECTOR_VERSION\$" "$modules/go.mod" ||
  fail 'stack/collector/go.mod and versions.env name other versions of the collector: make them agree.'

temporary=$(temporary_beside "$final")
trap 'rm -rf "$temporary"' EXIT
trap 'kill $build 2>/dev/null; exit 130' INT TERM
mkdir "$temporary/final"
step "Building the OpenTelemetry collector $OTEL_COLLECTOR_VERSION from Go modules (usually 1 to 2 minutes on two cores, once)" \
  compile "$modules" '-s -w' . "$temporary/final/otel-collector"
"$temporary/final/otel-collector" --version | grep -F "$OTEL_COLLECTOR_VERSION" >/dev/null || fail 'The collector that was built tells another version.'
put_in_place "$temporary/final" "$final"
