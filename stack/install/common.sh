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

# node_flags <service>: what Node is told in the image of that service, beside which script.
node_flags() {
  [ "$1" != gateway ] || printf '%s' "$GATEWAY_NODE_FLAGS"
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

# compile_all <folder with go.mod> <linker flags> <folder to put them in> <package>...: the same, several at once.
compile_all() {
  in_folder=$1 flags=$2 into=$3
  shift 3
  (cd "$in_folder" && exec go build -mod=readonly -buildvcs=false -trimpath -ldflags "$flags" -o "$into/" "$@") &
  build=$!
  wait "$build"
}

# go_program <name> <version> <folder with go.mod> <module that pins it> <package> <linker flags> <how it tells its version>: the program
# of that name, built once into the cache. The flags of a version are its caller's: without them most call themselves something else.
go_program() {
  final=$cache/$1-$2
  [ -x "$final/$1" ] && return 0
  grep -q "$4 v$2\$" "$3/go.mod" || fail "${3#"$repository"/}/go.mod and versions.env name other versions of $1: make them agree."
  temporary=$(temporary_beside "$final")
  trap 'rm -rf "$temporary"' EXIT
  trap 'kill $build 2>/dev/null; exit 130' INT TERM
  mkdir "$temporary/final"
  step "Building $1 $2 from Go modules (usually 1 to 2 minutes on two cores, once)" compile "$3" "$6" "$5" "$temporary/final/$1"
  # Word splitting is meant: a command and its options.
  # shellcheck disable=SC2086
  "$temporary/final/$1" $7 | grep -F "$2" >/dev/null || fail "The $1 that was built tells another version."
  put_in_place "$temporary/final" "$final"
}
