#!/bin/sh
# e2e-images.sh: builds what runs in the cluster of the tests, and prints the names, one a line: our three services by the Dockerfile, as
# they would be shipped, and a Synapse and a NATS to stand them on.
. "$(dirname -- "$0")/common.sh"
. "$install_folder/docker.sh"
use_docker || fail 'No docker daemon answers.'
export DOCKER_BUILDKIT=0

debian=$(sh "$install_folder/debian.sh")
tag=${TAG:-$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$repository/package.json")}
synapse=citypresence/synapse:$SYNAPSE_VERSION
nats=citypresence/nats:$NATS_SERVER_VERSION

# What our images are made of. The same again is not built again: laying out their packages takes a minute.
recipe=$(cd "$repository" && { git ls-files -z wire chassis aggregator gateway operator sight web stack/install package.json package-lock.json Dockerfile | xargs -0 cat; echo "$debian"; } | sha256sum)
stamp=$cache/e2e/recipe-of-$tag
has_images() {
  for service in aggregator gateway operator; do docker image inspect "citypresence/$service:$tag" >/dev/null 2>&1 || return 1; done
}
if [ "$(cat "$stamp" 2>/dev/null)" != "$recipe" ] || ! has_images; then
  BUILDER=docker IMAGE=citypresence BASE=$debian TAG=$tag sh "$install_folder/images.sh" >&2
  mkdir -p "$cache/e2e"
  echo "$recipe" >"$stamp"
fi

# Fetched here, where registries are reached in whatever way they are; an image under construction knows nothing of that.
wheels=$cache/synapse-wheels-$SYNAPSE_VERSION
python_of_debian=3.11
fetch_wheels() {
  python3 -m venv "$1/pip"
  "$1/pip/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --implementation cp --python-version "$python_of_debian" --abi cp311 --abi abi3 --abi none \
    --platform "manylinux_2_28_$(uname -m)" --platform "manylinux2014_$(uname -m)" --platform "manylinux_2_17_$(uname -m)" \
    --requirement "$install_folder/requirements.txt" --dest "$1/wheels"
}
temporary=$(temporary_beside "$cache/e2e-images")
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT TERM
if [ ! -d "$wheels" ]; then
  step "Getting Synapse $SYNAPSE_VERSION from PyPI (usually 15 to 40 s, once)" fetch_wheels "$temporary" >&2
  put_in_place "$temporary/wheels" "$wheels"
fi
cp -R "$repository/stack/kind/synapse" "$repository/stack/kind/nats" "$temporary/"
cp -R "$wheels" "$temporary/synapse/wheels"
# Packages of Debian come by the machine's own network. Unchanged layers come from docker's cache.
step "Building $synapse (usually 40 to 90 s, once)" \
  docker build --network host --build-arg "BASE=$debian" --tag "$synapse" "$temporary/synapse" >&2
sh "$install_folder/nats-server.sh" "$NATS_SERVER_VERSION" >&2
cp "$cache/nats-server-$NATS_SERVER_VERSION/nats-server" "$temporary/nats/"
step "Building $nats (usually 1 to 3 s)" docker build --tag "$nats" "$temporary/nats" >&2

for service in aggregator gateway operator; do printf '%s\n' "citypresence/$service:$tag"; done
printf '%s\n' "$synapse" "$nats"
