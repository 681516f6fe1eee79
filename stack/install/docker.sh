# Sourced after common.sh: the docker daemon that answers, or one of our own, which lives in the cache and is stopped again.
#
#   use_docker      DOCKER_HOST of the one that answers; fails where none does
#   start_docker    starts one where none answers
#   stop_docker     ends the one that start_docker started, and leaves any other alone
docker_folder=$cache/docker

use_docker() {
  docker info >/dev/null 2>&1 && return 0
  [ -S "$docker_folder/docker.sock" ] || return 1
  DOCKER_HOST=unix://$docker_folder/docker.sock
  export DOCKER_HOST
  docker info >/dev/null 2>&1
}

# Bit 24 of the rights that we may have at all.
may_raise_limits() { [ $((0x$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status) >> 24 & 1)) = 1 ]; }

run_dockerd() {
  mkdir -p "$docker_folder"
  set -- --data-root "$docker_folder/data" --exec-root "$docker_folder/run" --pidfile "$docker_folder/pid" --host "unix://$docker_folder/docker.sock"
  if ! may_raise_limits; then
    cp "$repository/stack/kind/node/runc-as-allowed" "$docker_folder/runc-as-allowed"
    chmod 755 "$docker_folder/runc-as-allowed"
    set -- "$@" --add-runtime "allowed=$docker_folder/runc-as-allowed" --default-runtime allowed
  fi
  rm -f "$docker_folder/docker.sock"
  # A session of its own: Ctrl-C of a `make` ends what waits for the cluster, not the cluster.
  PATH=$PATH:/usr/sbin:/sbin setsid dockerd "$@" >"$docker_folder/dockerd.log" 2>&1 </dev/null &
  for _ in $(seq 300); do
    ! use_docker || return 0
    kill -0 $! 2>/dev/null || break
    sleep 0.1
  done
  tail -n 20 "$docker_folder/dockerd.log"
  return 1
}

start_docker() {
  use_docker && return 0
  command -v dockerd >/dev/null || [ -x /usr/sbin/dockerd ] || fail 'No docker daemon answers here, and there is none to start.'
  step 'Starting a docker daemon (usually 1 to 3 s; make e2e-down stops it)' run_dockerd
}

# Its pid says nothing once it is somebody else's: so its command is looked at too.
is_our_dockerd() { grep -q "$docker_folder" "/proc/$1/cmdline" 2>/dev/null; }
end_dockerd() {
  pid=$(cat "$docker_folder/pid")
  is_our_dockerd "$pid" || return 0
  kill "$pid"
  for _ in $(seq 300); do
    is_our_dockerd "$pid" || return 0
    sleep 0.1
  done
  return 1
}
stop_docker() {
  [ -f "$docker_folder/pid" ] || return 0
  step 'Stopping our docker daemon (usually 1 to 10 s)' end_dockerd
  rm -f "$docker_folder/pid" "$docker_folder/docker.sock"
}
