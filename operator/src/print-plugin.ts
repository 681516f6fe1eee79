// `kubectl cpres`: a plugin of kubectl in plain sh, which needs nothing but kubectl itself. Printed from here (`make docs`), so that what
// it says about a reason is what docs/CITYPRESENCE.md says.
import { reasons } from './core/conditions.ts'
import { plural } from './core/city-presence.ts'

export const pluginPath = 'operator/bin/kubectl-cpres'

// What is well needs no advice.
const advice = Object.entries(reasons)
  .filter(([, { doThis }]) => !doThis.startsWith('Nothing.'))
  .map(([reason, { doThis }]) => `    ${reason}) echo '${doThis.replaceAll("'", String.raw`'\''`)}' ;;`)
  .join('\n')

/** One line a condition: type, status, reason, message; and one about the whole before them. */
const template = [
  '{{define "city"}}{{.metadata.namespace}}/{{.metadata.name}}\tcity\t',
  '{{if .status}}{{if eq .metadata.generation .status.observedGeneration}}seen{{else}}unseen{{end}}{{else}}unseen{{end}}\t',
  '{{with .status}}{{with .gateway}}{{.readyReplicas}}/{{.replicas}} gateways{{with .url}}, {{.}}{{end}}{{end}}',
  '{{with .aggregator}}{{with .leader}}, leader {{.}}{{end}}{{end}}{{end}}\n',
  '{{$city := printf "%s/%s" .metadata.namespace .metadata.name}}{{with .status}}{{range .conditions}}',
  '{{$city}}\t{{.type}}\t{{.status}}\t{{.reason}}\t{{printf "%q" .message}}\n{{end}}{{end}}{{end}}',
  '{{if .items}}{{range .items}}{{template "city" .}}{{end}}{{else if .metadata.name}}{{template "city" .}}{{end}}',
].join('')

export const pluginText = (): string => String.raw`#!/bin/sh
# kubectl cpres: how cities are, in words, and a bundle for who helps. Printed by "make docs" from operator/src/print-plugin.ts.
#
#   kubectl cpres status [NAME] [-n NAMESPACE | -A]      ends with 1 when a city is not ready
#   kubectl cpres report NAME [-n NAMESPACE] [-o FILE]   objects, events and logs; no Secret is asked for, what looks like one is masked
#
# On the path under the name kubectl-cpres it is found by kubectl. Other options (--context, --kubeconfig) are handed on.
set -u
tab=$(printf '\t')
kubectl=${'$'}{KUBECTL:-kubectl}

usage() {
  sed -n 's/^#   //p' "$0" >&2
  exit 2
}

advice() {
  case $1 in
${advice}
  esac
}

# What is wrong: most conditions when they are not True, some when they are.
is_wrong() {
  case $1 in
    Ready | Progressing) return 1 ;;
    Paused | Warning) [ "$2" = True ] ;;
    ReferencesResolved | RouteProgrammed) [ "$2" = False ] ;;
    *) [ "$2" != True ] ;;
  esac
}

status() {
  lines=$("$kubectl" get ${plural} "$@" -o go-template='${template}') || exit 1
  if [ -z "$lines" ]; then
    echo 'There is no city here.'
    return 0
  fi
  printf '%s\n' "$lines" | {
    failed=0
    while IFS="$tab" read -r city type state reason message; do
      message=$(printf '%s' "${'$'}{message:-}" | sed 's/^"//; s/"$//; s/\\"/"/g')
      case $type in
        city)
          printf '%s' "$city"
          [ -n "$reason" ] && printf ' (%s)' "$reason"
          echo
          [ "$state" = unseen ] && echo '  The operator has not looked at the newest change yet.'
          ;;
        Ready)
          if [ "$state" = True ]; then
            echo "  It works: $message"
          else
            failed=1
            if [ "$state" = False ]; then echo "  It does not work. $message"; else echo "  Nobody knows yet. $message"; fi
          fi
          ;;
        *)
          if is_wrong "$type" "$state"; then
            echo "  $type: $reason. $message"
            do_this=$(advice "$reason")
            [ -n "$do_this" ] && echo "    -> $do_this"
          fi
          ;;
      esac
    done
    exit $failed
  }
}

# Tokens, passwords, seeds, keys, and the names of people.
mask() {
  sed -E \
    -e 's/(Bearer|Basic) +[A-Za-z0-9._~+\/=-]+/\1 ***/g' \
    -e 's/eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)?/***/g' \
    -e 's/(syt|syr|mat|mct)_[A-Za-z0-9_]+/***/g' \
    -e 's/([?&](access_)?token=)[^&" ]+/\1***/g' \
    -e 's/:\/\/[^\/@ "]+:[^\/@ "]+@/:\/\/***@/g' \
    -e 's/S[ANOU][A-Z2-7]{50,}/***/g' \
    -e 's/("[A-Za-z_.-]*([Pp]assword|[Pp]assphrase|[Ss]ecret|[Tt]oken)"): *"[^"]*"/\1:"***"/g' \
    -e 's/("?[A-Za-z_.-]*([Pp]assword|[Pp]assphrase|[Ss]ecret|[Tt]oken|PASSWORD|SECRET|TOKEN)"?: +)[^ {[].*$/\1***/' \
    -e 's/@[A-Za-z0-9._=\/+-]+:([A-Za-z0-9.-]+)/@***:\1/g' \
    -e '/-----BEGIN/,/-----END/d'
}

report() {
  name=$1
  file=$2
  shift 2
  folder=$(mktemp -d) || exit 1
  trap 'rm -rf "$folder"' EXIT
  bundle=$folder/cpres-$name
  mkdir "$bundle"
  ours="app.kubernetes.io/name=citypresence,app.kubernetes.io/instance=$name"
  # keep FILE ARGUMENTS: what kubectl says, masked; what it refuses is noted, and the rest goes on.
  keep() {
    into=$1
    shift
    "$kubectl" "$@" 2>"$folder/said" | mask >"$bundle/$into"
    if [ -s "$folder/said" ]; then
      { echo "$into:"; mask <"$folder/said"; } >>"$bundle/not-had.txt"
    fi
  }
  "$kubectl" get ${plural} "$name" "$@" -o name >/dev/null || exit 1
  (status "$name" "$@") 2>&1 | mask >"$bundle/status.txt"
  keep city.yaml get ${plural} "$name" "$@" -o yaml
  keep objects.yaml get configmaps,serviceaccounts,services,roles,rolebindings,leases,deployments,poddisruptionbudgets,horizontalpodautoscalers,networkpolicies,ingresses -l "$ours" "$@" -o yaml
  keep pods.txt describe pods -l "$ours" "$@"
  keep events.txt get events --field-selector "involvedObject.name=$name" "$@"
  keep logs.txt logs -l "$ours" --all-containers --prefix --tail=500 "$@"
  keep versions.txt version "$@"
  tar -czf "$file" -C "$folder" "cpres-$name" || exit 1
  echo "$file: $(ls "$bundle" | tr '\n' ' ')"
  echo 'What looks like a secret or a name was masked. Look into it before you hand it on.'
}

[ $# -gt 0 ] || usage
verb=$1
shift
name=
case ${'$'}{1:-} in '' | -*) ;; *) name=$1; shift ;; esac
case $verb in
  status)
    if [ -n "$name" ]; then status "$name" "$@"; else status "$@"; fi
    ;;
  report)
    [ -n "$name" ] || usage
    file=cpres-$name.tar.gz
    count=$#
    while [ "$count" -gt 0 ]; do
      argument=$1
      shift
      count=$((count - 1))
      if [ "$argument" = -o ] && [ "$count" -gt 0 ]; then
        file=$1
        shift
        count=$((count - 1))
      else
        set -- "$@" "$argument"
      fi
    done
    report "$name" "$file" "$@"
    ;;
  *) usage ;;
esac
`
