# One recipe for the three services. stack/install/image-stage.sh lays out what goes in: one Node, the production packages of one service, its
# sources, its SBOM; no npm, no shell of ours. `make images` does both, with docker, podman or buildah:
#
#   stack/install/image-stage.sh gateway -> dist/images/gateway/ -> docker build --build-arg SERVICE=gateway .
#
# The base has to hold glibc and libstdc++, and nothing else is needed of it: neither a shell nor a package manager.
ARG BASE=debian:12-slim
FROM ${BASE}
ARG SERVICE
ARG VERSION=0.0.0
ARG NODE_FLAGS=
LABEL org.opencontainers.image.title="citypresence-${SERVICE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY dist/images/${SERVICE}/ /
# The cache is read-only there; for another user than this one, or another Node, Node makes its own in memory.
ENV NODE_ENV=production NODE_COMPILE_CACHE=/app/compile-cache NODE_COMPILE_CACHE_PORTABLE=1 NODE_OPTIONS=${NODE_FLAGS}
WORKDIR /app
# Nobody: nothing in the image belongs to it, and nothing can be written by it.
USER 65532:65532
# `service` is a link to the folder of the one service in here.
ENTRYPOINT ["/usr/local/bin/node", "/app/service/src/main.ts"]
