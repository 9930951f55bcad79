#!/usr/bin/env bash
# Shows that contract.def lists every struct, member, constant and identifier of the headers, and nothing else.
set -euo pipefail
api=$(cd "$(dirname "$0")/../.." && pwd)
headers=("$api"/include/chimera/abi/*.h)
dump=$(mktemp)
trap 'rm -f "$dump"' EXIT
"$api/abi/abi" dump >"$dump" || { status=$?; cat "$dump"; exit $status; }

declared() {
  grep -hoE 'struct chm_[a-z_]+ \{' "${headers[@]}" | sed -E 's/struct (.*) \{/STRUCT \1/'
  grep -hoE '^(enum \{ *| *)CHM_[A-Z0-9_]+ = |, CHM_[A-Z0-9_]+ = ' "${headers[@]}" | sed -E 's/.*(CHM_[A-Z0-9_]+) = /CONSTANT \1/'
  grep -hoE '^#define CHM_(EXT|FACTORY|ENTRY)_[A-Z_]+' "${headers[@]}" | sed 's/#define/IDENTIFIER/'
  awk -F"'" '/<class-decl/ { type = $2 } /<\/class-decl>/ { type = "" }
    /<data-member/ { offset = $4 / 8; getline; if (type ~ /^chm_/) print "MEMBER " type " " $2 " " offset }' "$dump"
}
listed() {
  sed -nE 's/^(STRUCT|CONSTANT|IDENTIFIER)\(([a-zA-Z0-9_]+),.*/\1 \2/p; s/^MEMBER\((\w+), (\w+), (\w+)\)/MEMBER \1 \2 \3/p' \
    "$api/abi/contract.def" | grep -v 'chm_rc$'
}

if ! difference=$(diff <(declared | sort) <(listed | sort)); then
  echo "the headers and plugin_api/abi/contract.def differ (<: missing in contract.def, >: not in the headers)"
  grep '^[<>]' <<<"$difference"
  exit 1
fi
echo "$(listed | wc -l) structs, members, constants and identifiers, all listed"
