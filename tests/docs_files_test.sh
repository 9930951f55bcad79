#!/usr/bin/env bash
# docs_files_test.sh SOURCE: every file of the repository that a page names in `backticks` exists. So a renamed file takes its
# mentions along.
set -euo pipefail
cd "$1"
named=0 missing=0
while IFS=: read -r page line name; do
  named=$((named + 1))
  [ -e "$name" ] && continue
  echo "$page:$line: $name: there is no such file"
  missing=$((missing + 1))
done < <(grep -noE '`(bench|docs|examples|host|plugin_api|plugins|profiles|report_page|simulator|tests)/[A-Za-z0-9_./-]+`' \
  README.md CONTRIBUTING.md docs/*.md docs/*/*.md | tr -d '`')
echo "$named files named, $missing of them missing"
[ "$named" -gt 0 ] && [ "$missing" -eq 0 ]
