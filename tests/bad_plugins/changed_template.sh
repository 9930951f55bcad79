#!/bin/sh
# changed_template.sh TEMPLATE FOLDER ID [SCRIPT]: the template's sources as plugin ID, changed by a sed script. Fails if the script
# changes nothing: the template has changed, and the script has to follow.
set -eu
mkdir -p "$2"
changed=no
for source in "$1"/*.cpp "$1"/*.hpp; do
  made=$2/$(basename "$source")
  if [ $# -gt 3 ]; then sed -f "$4" "$source" >"$made"; else cat "$source" >"$made"; fi
  cmp -s "$source" "$made" || changed=yes
  sed -i "s/my_coordinator/$3/g" "$made"
done
[ $# -eq 3 ] || [ $changed = yes ] || { echo "$4 changes nothing" >&2; exit 1; }
