#!/bin/sh
# The engine inside Centrifugo as a small server, built from the Go modules that bench/centrifuge/go.mod pins, in the cache: a peer of
# the benchmark. Prints the path of the program; where there is no Go the benchmark says that this peer was not run.
. "$(dirname -- "$0")/common.sh"

go_program centrifuge "$CENTRIFUGE_VERSION" "$repository/bench/centrifuge" github.com/centrifugal/centrifuge . '-s -w' version
