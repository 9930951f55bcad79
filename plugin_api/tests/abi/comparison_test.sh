#!/usr/bin/env bash
# Changes a copy of the contract in one way at a time and shows that the comparison with the recorded ABI allows each with
# the version that it needs, and with no lesser one. CXX names the compiler.
set -euo pipefail
command -v abidiff >/dev/null || { echo "abidiff is not installed (Debian: abigail-tools)"; exit 77; }
source=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
recorded=$(cd "$source/abi" && printf '%s\n' [0-9]*.abi.xml | sort -V | tail -n 1)
major=${recorded%%.*} minor=${recorded#*.} minor=${minor%%.*}
failures=0

# expect NEEDED WHAT FILE SED_SCRIPT [FILE SED_SCRIPT]...: NEEDED is the least version that allows the change: same, minor or
# major. Files are named from plugin_api on.
expect() {
  local needed=$1 what=$2 file
  shift 2
  rm -rf "$work/api"
  mkdir "$work/api"
  cp -r "$source/include" "$source/abi" "$work/api"
  while [ $# -gt 0 ]; do
    file=$work/api/$1
    sed -i.before -E "$2" "$file"
    if cmp -s "$file" "$file.before"; then echo "FAILED: $what: nothing was changed in $1"; failures=1; fi
    shift 2
  done
  local allowed=no version
  for version in "same $major $minor" "minor $major $((minor + 1))" "major $((major + 1)) 0"; do
    set -- $version
    if [ "$1" = "$needed" ]; then allowed=yes; fi
    sed -i -E "s/(define CHM_ABI_MAJOR) .*/\1 $2u/; s/(define CHM_ABI_MINOR) .*/\1 $3u/" "$work/api/include/chimera/abi/base.h"
    local status=0
    "$work/api/abi/abi" compare >"$work/output" 2>&1 || status=$?
    local found=no
    if [ $status -eq 0 ]; then found=yes; fi
    if [ $found != $allowed ] || [ $status -gt 1 ]; then
      echo "FAILED: $what: as contract $2.$3 it is allowed: $found, expected $allowed"
      sed 's/^/    /' "$work/output"
      failures=1
    fi
    if [ $allowed = yes ]; then break; fi
  done
  echo "$what: $needed"
}

abi=include/chimera/abi
expect same "another name for a parameter" $abi/transport.h 's/chm_head \*head, chm_error/chm_head *answer, chm_error/'
expect major "members change places" $abi/option.h '/^    const char \*name;/{h;d};/^    const char \*help;/G'
expect major "a member of another type, as large" $abi/executor.h 's/^    uint32_t hint;/    int32_t hint;/'
expect major "a larger member" $abi/transport.h 's/^    int32_t status;/    int64_t status;/'
expect major "a member gone" $abi/timing.h '/^    uint64_t sent_ns;/d'
expect major "a member of another name" $abi/base.h 's/^    size_t cap;/    size_t length;/'
expect major "a function put into a table" $abi/executor.h 's/^    void \(\*stop\)/    void (*pause)(chm_executor *) CHM_NX;\n&/'
expect major "a function at the tail of a table" $abi/executor.h 's/^\} chm_executor_vt;/    void (*pause)(chm_executor *) CHM_NX;\n&/'
expect major "a function with one more parameter" $abi/task.h 's/\(\*poll\)\(chm_task \*, /&uint32_t budget, /'
expect major "a constant with another value" $abi/reactor.h 's/CHM_IO_ERR = 4/CHM_IO_ERR = 16/'
expect major "a constant gone" $abi/base.h 's/CHM_E_TLS = -14, .*//' abi/contract.def '/CHM_E_TLS/d'
expect major "a struct that does not grow has grown" $abi/base.h 's/^\} chm_error;/    size_t used;\n&/'
expect major "grown at the tail, and changed before" $abi/executor.h \
  's/^    uint32_t hint;/    int32_t hint;/; s/^\} chm_spawn_opts;/    uint64_t deadline_ns;\n&/'
expect minor "grown at the tail" $abi/executor.h 's/^\} chm_spawn_opts;/    uint64_t deadline_ns;\n&/'
expect minor "one more code" $abi/base.h 's/^    CHM_E_STATE = -15.*/    CHM_E_STATE = -15,\n    CHM_E_BUSY = -16/' \
  abi/contract.def 's/^CONSTANT\(CHM_E_STATE.*/&\nCONSTANT(CHM_E_BUSY, -16)/'
expect minor "a new extension" $abi/timing.h \
  's/^CHM_END_DECLS/enum { CHM_PAUSE_NOW = 1 };\ntypedef struct chm_pause_ext {\n    uint32_t size;\n    void (*pause)(chm_transport *) CHM_NX;\n} chm_pause_ext;\n&/' \
  abi/contract.def '1,/^STRUCT/s/^STRUCT\(chm_rc.*/&\nSTRUCT(chm_pause_ext, 16)\nCONSTANT(CHM_PAUSE_NOW, 1)/'
exit $failures
