#!/bin/sh
# An OpenTelemetry collector, built from the Go modules that stack/collector/go.mod pins, in the cache. Nothing is built where
# OTEL_COLLECTOR_PATH names one.
. "$(dirname -- "$0")/common.sh"

if [ -n "${OTEL_COLLECTOR_PATH:-}" ]; then
  [ -x "$OTEL_COLLECTOR_PATH" ] || fail "OTEL_COLLECTOR_PATH is $OTEL_COLLECTOR_PATH, where there is no program."
  exit 0
fi
go_program otel-collector "$OTEL_COLLECTOR_VERSION" "$repository/stack/collector" go.opentelemetry.io/collector/otelcol . '-s -w' --version
