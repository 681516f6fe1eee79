#!/bin/sh
# kind-node-part.sh base|images|node <work folder> <debian> <name>: the parts of kind-node.sh, each a process of its own, so that the first command
# that fails ends it.
. "$(dirname -- "$0")/common.sh"
export DOCKER_BUILDKIT=0

part=$1 temporary=$2 debian=$3 ours=$4
modules=$repository/stack/kind
kind=$cache/kind-$KIND_VERSION/kind
servers=$cache/kube-$KUBERNETES_VERSION-etcd-$ETCD_VERSION
nodes=$cache/kube-node-$KUBERNETES_VERSION
programs=$cache/kind-node-programs-$(cat "$modules/go.sum" "$modules/network/main.go" | sha256sum | head -c 8)
kind_source=$(cd "$modules" && go list -m -f '{{.Dir}}' sigs.k8s.io/kind)

make_base() {
  files=$temporary/base/files
  mkdir -p "$files/kind" "$files/usr/local/bin" "$files/opt/cni/bin"
  cp -R "$kind_source/images/base/files/etc" "$files/etc"
  cp -R "$kind_source/images/base/files/kind/bin" "$files/kind/bin"
  cp "$kind_source"/images/base/files/usr/local/bin/* "$files/usr/local/bin/"
  # The module cache is read-only, and so would these be.
  chmod -R u=rwX,go=rX "$files"
  chmod 755 "$files"/kind/bin/* "$files"/usr/local/bin/*
  for name in containerd ctr containerd-shim-runc-v2; do cp "$programs/$name" "$files/usr/local/bin/"; done
  for name in host-local loopback ptp portmap; do cp "$programs/$name" "$files/opt/cni/bin/"; done
  install -m 755 "$modules/node/crictl" "$files/usr/local/bin/crictl"
  cp "$modules/node/Dockerfile" "$temporary/base/"
  docker build --network host --build-arg "BASE=$debian" --tag citypresence/kind-base:building "$temporary/base"
}

# in_image <name> <base> <entry> <file>...: an image with these files in /usr/local/bin.
in_image() {
  image=$1 base=$2 entry=$3
  shift 3
  rm -rf "$temporary/context"
  mkdir -p "$temporary/context/bin"
  for file in "$@"; do cp "$file" "$temporary/context/bin/"; done
  printf 'FROM %s\nCOPY bin/ /usr/local/bin/\nENTRYPOINT ["%s"]\n' "$base" "$entry" >"$temporary/context/Dockerfile"
  docker build --quiet --tag "$image" "$temporary/context"
  echo "$image" >>"$temporary/built"
}

# The servers that were built with a C library need that, and nothing else.
make_libc() {
  mkdir -p "$temporary/libc"
  for file in $(ldd "$servers/kube-apiserver" | grep -o '/[^ ]*'); do
    mkdir -p "$temporary/libc$(dirname "$file")" "$temporary/libc/tmp"
    cp -L "$file" "$temporary/libc$file"
  done
  tar -C "$temporary/libc" -c . | docker import - citypresence/libc:building
  docker build --network host --tag citypresence/net:building - <<END
FROM $debian
RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends iptables conntrack iproute2 kmod && apt-get clean && rm -rf /var/lib/apt/lists/*
END
}

registry=registry.k8s.io
# The names that kubeadm and kind ask for; their tags say nothing about what is in ours.
component() { (cd "$kind_source" && grep -rho "docker.io/kindest/$1:[a-z0-9.-]*" pkg/build/nodeimage | head -n 1); }
make_images() {
  server=$temporary/server/kubernetes/server/bin
  mkdir -p "$server"
  make_libc
  for name in kube-apiserver kube-controller-manager kube-scheduler; do
    file=$nodes/$name
    [ -f "$file" ] || file=$servers/$name
    in_image "$registry/$name:v$KUBERNETES_VERSION" citypresence/libc:building "/usr/local/bin/$name" "$file"
    docker save --output "$server/$name.tar" "$registry/$name:v$KUBERNETES_VERSION"
  done
  in_image "$registry/kube-proxy:v$KUBERNETES_VERSION" citypresence/net:building /usr/local/bin/kube-proxy "$nodes/kube-proxy"
  "$nodes/kubeadm" config images list --kubernetes-version "v$KUBERNETES_VERSION" >"$temporary/wanted"
  etcd=$(grep /etcd: "$temporary/wanted")
  dns=$(grep /coredns: "$temporary/wanted")
  pause=$(grep /pause: "$temporary/wanted")
  in_image "$etcd" citypresence/libc:building /usr/local/bin/etcd "$servers/etcd"
  in_image "$dns" scratch /usr/local/bin/dns "$cache/coredns-$COREDNS_VERSION/dns"
  # A pod's first container, which only waits: a program of five lines.
  printf '#include <unistd.h>\n#include <signal.h>\nstatic void end(int s) { (void)s; _exit(0); }\nint main(void) { signal(SIGTERM, end); signal(SIGINT, end); signal(SIGCHLD, SIG_IGN); for (;;) pause(); }\n' >"$temporary/pause.c"
  cc -static -O2 -o "$temporary/pause" "$temporary/pause.c"
  in_image "$pause" scratch /usr/local/bin/pause "$temporary/pause"
  network=$(component kindnetd) storage=$(component local-path-provisioner) helper=$(component local-path-helper)
  cp "$programs/network" "$temporary/kindnetd"
  in_image "$network" citypresence/net:building /usr/local/bin/kindnetd "$temporary/kindnetd"
  in_image "$storage" scratch /usr/local/bin/local-path-provisioner "$cache/local-path-$LOCAL_PATH_VERSION/local-path-provisioner"
  docker tag "$debian" "$helper"
  echo "$helper" >>"$temporary/built"
  # kind reads the names in the first of manifest.json and repositories that it meets, and only the latter names all images.
  mkdir "$temporary/save"
  docker save "$registry/kube-proxy:v$KUBERNETES_VERSION" "$etcd" "$dns" "$pause" "$network" "$storage" "$helper" | tar -C "$temporary/save" -x
  # It asks for them by their whole names, which docker shortens.
  sed -i 's#"kindest/#"docker.io/kindest/#g' "$temporary/save/repositories" "$temporary/save/manifest.json"
  (cd "$temporary/save" && tar -cf "$server/kube-proxy.tar" repositories $(ls | grep -v '^repositories$'))
  cp "$nodes/kubeadm" "$nodes/kubelet" "$cache/kubectl-$KUBERNETES_VERSION/kubectl" "$server/"
  echo "v$KUBERNETES_VERSION" >"$temporary/server/kubernetes/version"
  tar -C "$temporary/server" -c kubernetes | gzip -1 >"$temporary/kubernetes-server-linux-amd64.tar.gz"
}

make_node() {
  # kind leaves what it unpacked behind, so it gets a folder of ours for it.
  mkdir "$temporary/tmp"
  TMPDIR=$temporary/tmp
  export TMPDIR
  "$kind" build node-image --type file --base-image citypresence/kind-base:building --image "$ours" \
    "$temporary/kubernetes-server-linux-amd64.tar.gz"
  # What the layers were made of stays in them; the names go.
  # shellcheck disable=SC2046
  docker rmi $(cat "$temporary/built") citypresence/kind-base:building citypresence/libc:building citypresence/net:building >/dev/null
}

make_$part
