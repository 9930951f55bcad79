#!/usr/bin/env bash
# check_links.sh FOLDER...: follows every relative link of every Markdown page below the folders: to a file or folder that
# exists, and to a heading that does. Prints each one that leads nowhere.
set -euo pipefail
pages=0 links=0 broken=0

# As GitHub names the headings of a page.
anchors() {
  sed -n '/^```/,/^```/d; s/^##* *//p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^[:alnum:] _-]//g; s/ /-/g'
}

while IFS= read -r -d '' page; do
  pages=$((pages + 1))
  while IFS= read -r target; do
    links=$((links + 1))
    file=${target%%#*} heading=
    [[ $target != *'#'* ]] || heading=${target#*#}
    to=$page
    [ -z "$file" ] || to=$(dirname "$page")/$file
    if [[ $file == /* ]] || [ ! -e "$to" ]; then
      echo "$page: $target: there is no such file"
    elif [ -n "$heading" ] && ! anchors "$to" | grep -qxF -- "$heading"; then
      echo "$page: $target: there is no such heading"
    else
      continue
    fi
    broken=$((broken + 1))
  done < <(sed '/^```/,/^```/d; s/`[^`]*`//g' "$page" | grep -oE '\]\([^)]+\)' | sed 's/^](//; s/)$//' |
    grep -vE '^[a-z]+:' || true)
done < <(find -H "$@" -name '*.md' -print0)
echo "$pages pages, $links links, $broken of them broken"
[ "$pages" -gt 0 ] && [ "$links" -gt 0 ] && [ "$broken" -eq 0 ]
