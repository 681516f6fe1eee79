#!/bin/sh
# image-stage.sh <service>: lays out under dist/images/<service> what the image of that service holds.
#
#   /usr/local/bin/node      the Node of this project
#   /app/<service>, /app/wire, /app/chassis    sources without tests
#   /app/sight               rules and dashboards, as printed (operator only)
#   /app/service             a link to the first of them
#   /app/node_modules        the production packages of that service, from package-lock.json exactly, without their scripts
#   /app/compile-cache       what Node makes of the sources at their first reading
#   /app/sbom.spdx.json      what those are
. "$(dirname -- "$0")/common.sh"

service=${1:-}
case $service in aggregator | gateway | operator) ;; *) fail 'image-stage.sh takes aggregator, gateway or operator' ;; esac
cd "$repository"
with_node() { sh "$install_folder/with-node.sh" "$@"; }
final=dist/images/$service
temporary=$(temporary_beside "$repository/$final")
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT TERM
app=$temporary/layout/app
mkdir -p "$app" "$temporary/layout/usr/local/bin"

# The manifests of what goes in, without what only tests and builds need; the lock is cut down to them, its versions stay.
parts="wire chassis $service"
cp package-lock.json "$app/"
# shellcheck disable=SC2086
with_node node stack/install/image-manifests.ts "$app" $parts
in_app() { (cd "$app" && with_node "$@"); }
cut_lock() { in_app npm install --package-lock-only --ignore-scripts --no-audit --no-fund --prefer-offline; }
step "Cutting package-lock.json down to $service (usually 1 to 5 s)" cut_lock
install_packages() { in_app npm ci --omit=dev --ignore-scripts --no-audit --no-fund; }
step "Installing the packages of $service (usually 5 to 30 s)" install_packages
in_app npm sbom --omit=dev --sbom-format=spdx >"$temporary/sbom.spdx.json"
mv "$temporary/sbom.spdx.json" "$app/"

copy_sources() {
  git ls-files "$1/src" | grep -v -e '\.test\.tsx\?$' -e '/testing/' -e '\.contract\.ts$' | while read -r file; do
    mkdir -p "$app/$(dirname "$file")"
    cp "$file" "$app/$file"
  done
}
for part in $parts; do copy_sources "$part"; done
rm -f "$app/node_modules/.package-lock.json" "$app/package-lock.json"
if [ "$service" = gateway ]; then
  [ -d web/dist/page ] || fail 'The page is not built: run make build first.'
  mkdir -p "$app/web/dist"
  cp -R web/dist/page "$app/web/dist/page"
fi
# What the operator hands to cities that ask for alerts and dashboards.
if [ "$service" = operator ]; then
  mkdir -p "$app/sight"
  cp -R sight/rules.json sight/dashboards "$app/sight/"
fi
ln -s "$service" "$app/service"
cp "$(sh "$install_folder/node.sh")" "$temporary/layout/usr/local/bin/node"
# Types taken out and code compiled once, here, instead of at each start, which then takes a third of the time. The cache lies
# relative to itself, so it may be moved with the sources; its name ends with the number of the user, in the image 65532.
NODE_OPTIONS=$(node_flags "$service") NODE_COMPILE_CACHE="$app/compile-cache" NODE_COMPILE_CACHE_PORTABLE=1 \
  "$temporary/layout/usr/local/bin/node" "$app/service/src/main.ts" --help >/dev/null
for made in "$app"/compile-cache/*; do
  [ "$made" = "${made%-*}-65532" ] || mv "$made" "${made%-*}-65532"
done
chmod -R go=rX,u=rwX "$temporary/layout"
chmod 755 "$temporary/layout/usr/local/bin/node"
rm -rf "$final"
mv "$temporary/layout" "$final"
say "$final: $(du -sm "$final" | cut -f 1) MB, $(du -sm "$final/app/node_modules" | cut -f 1) MB of them packages"
