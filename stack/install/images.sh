#!/bin/sh
# images.sh [service...]: images of the services by whichever of docker, podman and buildah is here.
#
# BUILDER    docker, podman or buildah, instead of the first that is found and works
# BASE       what the images stand on, instead of the Dockerfile's
# IMAGE      the beginning of their names, citypresence unless set:  citypresence/gateway:0.1.0
# TAG        instead of the version of this project
. "$(dirname -- "$0")/common.sh"
cd "$repository"

# docker may be there without its daemon.
works() { command -v "$1" >/dev/null && { [ "$1" != docker ] || docker info >/dev/null 2>&1; }; }
builder=${BUILDER:-}
for one in docker podman buildah; do
  [ -n "$builder" ] || ! works "$one" || builder=$one
done
# docker without its plug-in for BuildKit still has its older builder, which is enough.
[ "$builder" != docker ] || docker buildx version >/dev/null 2>&1 || export DOCKER_BUILDKIT=0
[ -n "$builder" ] || fail 'No docker (with its daemon), podman or buildah is here: install one of them, or set BUILDER.'

version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
tag=${TAG:-$version}
[ $# -gt 0 ] || set -- aggregator gateway operator
for service in "$@"; do
  sh "$install_folder/image-stage.sh" "$service"
  name=${IMAGE:-citypresence}/$service:$tag
  set -- --build-arg "SERVICE=$service" --build-arg "VERSION=$version" --build-arg "NODE_FLAGS=$(node_flags "$service")" --tag "$name" --file Dockerfile
  [ -z "${BASE:-}" ] || set -- "$@" --build-arg "BASE=$BASE"
  # Nothing runs while it is built: files are laid into the base, so that no right to start containers is needed.
  step "Building $name with $builder (usually 2 to 20 s)" "$builder" build "$@" .
done
