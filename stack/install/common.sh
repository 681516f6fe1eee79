# Sourced by the scripts beside it: the pinned versions, the cache folder, and how a long step speaks.
set -eu

install_folder=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
repository=$(CDPATH='' cd -- "$install_folder/../.." && pwd)
. "$install_folder/versions.env"

# The same rule as stack/src/machine.ts.
cache=${CITY_PRESENCE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/city-presence}

# Standard output belongs to answers (a path); everything told to a person goes to standard error.
say() { printf '%s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

# The beginning of a log names the mistake, its end the consequence.
excerpt() {
  head -n 15 "$1"
  [ "$(wc -l <"$1")" -le 40 ] || echo '...'
  tail -n +16 "$1" | tail -n 25
}

# step "what it does (usually n s)" command...: runs it, its output kept in a log that is shown when it fails.
step() {
  what=$1
  shift
  say "$what ..."
  started=$(date +%s)
  log=$(mktemp "${TMPDIR:-/tmp}/city-presence-step.XXXXXX")
  if ! "$@" >"$log" 2>&1; then
    excerpt "$log" >&2
    fail "Failed: $what. The whole output is in $log"
  fi
  rm -f "$log"
  say "${what%% (*}: done in $(($(date +%s) - started)) s"
}

# A download grows in a folder of its own and is renamed when whole: an interrupted one is never taken for it.
temporary_beside() {
  mkdir -p "$(dirname -- "$1")"
  mktemp -d "$1.XXXXXX.part"
}

# put_in_place <temporary> <final>: whoever is first wins, the other copy is as good and goes.
put_in_place() {
  chmod 755 "$1"
  # -T: never *into* a folder that appeared meanwhile (where mv knows it; elsewhere the check before is all there is).
  if [ -e "$2" ] || ! mv -T "$1" "$2" 2>/dev/null; then
    if [ -e "$2" ]; then rm -rf "$1"; else mv "$1" "$2"; fi
  fi
}

# compile <folder with go.mod> <linker flags> <package> <file>. In the background and waited for: an interrupted `make deps` must
# not leave minutes of compiling behind, so its caller ends $build when it is interrupted itself.
build=''
compile() {
  (cd "$1" && exec go build -mod=readonly -buildvcs=false -trimpath -ldflags "$2" -o "$4" "$3") &
  build=$!
  wait "$build"
}
