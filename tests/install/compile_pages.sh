#!/usr/bin/env bash
# compile_pages.sh PREFIX: compiles every block of C++ in the installed pages that stands below the line
# `<!-- compiled -->`, or `<!-- compiled: PKG -->` where it needs a library that pkg-config knows; left out where it does not.
set -euo pipefail
prefix=$1
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
export PKG_CONFIG_PATH=$prefix/share/pkgconfig
n=0
for page in "$prefix"/share/doc/chimera/docs/*.md; do
  awk -v to="$made/$(basename "$page" .md)" '
    /^<!-- compiled/ { wanted = $0; next }
    /^```cpp$/ && wanted { file = to "." ++n ".cpp"; sub(/^<!-- compiled:? */, "// ", wanted); sub(/ *-->/, "", wanted)
                           print wanted > file; wanted = ""; next }
    /^```/ { file = "" }
    file { print > file }
    !/^ *$/ { if (!file) wanted = "" }' "$page"
done
for block in "$made"/*.cpp; do
  needs=$(sed -n '1s|^// *||p' "$block")
  # shellcheck disable=SC2086
  flags=$(pkg-config --cflags chimera_plugin_api $needs) || { echo "left out: $(basename "$block"), for want of $needs"; continue; }
  # shellcheck disable=SC2086
  c++ -std=c++20 -Wall -Wextra -Werror -fsyntax-only $flags "$block"
  n=$((n + 1))
done
echo "$n blocks compile"
[ "$n" -gt 0 ]
