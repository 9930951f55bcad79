#!/usr/bin/env bash
# The comments of the headers in C: each header has an example of 3 to 15 lines that compiles as C99 with this header
# alone; each function of a table has a tag; the tags are those of the list in abi.h. CC names the compiler.
set -euo pipefail
include=$(cd "$(dirname "$0")/../../include" && pwd)
headers=("$include"/chimera/abi.h "$include"/chimera/abi/*.h)
example=$(mktemp --suffix=.c)
trap 'rm -f "$example"' EXIT
failed=0

for header in "${headers[@]}" "$include"/chimera/sdk/*.h; do
  name=${header#"$include"/}
  lines=$(sed -n '/@code{\.c}/,/@endcode/{/@code\|@endcode/d;s/^ \* \{0,1\}//;p}' "$header")
  printf '#include "%s"\n%s\n' "$name" "$lines" >"$example"
  count=$(grep -vc '^$\|^#include' <<<"$lines" || true)
  ((count >= 3 && count <= 15)) || { echo "$name: an example of $count lines, expected 3 to 15"; failed=1; }
  "${CC:-cc}" -std=c99 -pedantic -Wall -Wextra -Werror -Wno-unused-function -Wno-unused-variable -Wno-unused-const-variable \
    -fsyntax-only "-I$include" "$example" || { echo "$name: its example does not compile"; failed=1; }
done

# Threads stand in the first part of the list, states in the second: an empty line is between them.
awk '
  FNR == 1 { file = FILENAME; sub(".*/chimera/", "", file); tag = "" }
  file == "abi.h" && /^ \* (Tags)/ { part = 1 }
  file == "abi.h" && /^ \*     [a-z-]+  / && part { in_list = 1; if (part == 1) thread[$2] = 0; else state[$2] = 0 }
  file == "abi.h" && /^ \*$/ && in_list { ++part; in_list = 0 }
  file == "abi.h" { next }
  /^ *\/\*\* / { tag = $0 }
  /^ *[a-z].*\(\*[a-z_]+\)\(/ {
    name = $0; sub(/.*\(\*/, "", name); sub(/\).*/, "", name)
    ++functions
    if (match(tag, /^ *\/\*\* \[[a-z !&-]+\]/) == 0) { print file ": " name ": its comment begins with no tag"; bad = 1; next }
    words = tag; sub(/.*\/\*\* \[/, "", words); sub(/\].*/, "", words)
    n = split(words, word, " & ")
    if (!(word[1] in thread)) { print file ": " name ": not a thread of the list in abi.h: " word[1]; bad = 1 } else ++thread[word[1]]
    for (i = 2; i <= n; ++i) {
      sub(/^!/, "", word[i])
      if (!(word[i] in state)) { print file ": " name ": not a state of the list in abi.h: " word[i]; bad = 1 } else ++state[word[i]]
    }
    tag = ""
  }
  END {
    for (one in thread) if (!thread[one]) { print "abi.h: no function has the tag " one; bad = 1 }
    for (one in state) if (!state[one]) { print "abi.h: no function has the tag " one; bad = 1 }
    if (functions < 35) { print functions " functions found, expected more"; bad = 1 }
    print functions " functions, " length(thread) " threads, " length(state) " states"
    exit bad
  }' "${headers[@]}" || failed=1
exit $failed
