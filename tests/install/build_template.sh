#!/usr/bin/env bash
# build_template.sh PREFIX TEMPLATE FOLDER: `chimera-host new`, then all that the README of the new folder says.
set -euo pipefail
prefix=$1 template=$2 folder=$3
kind=${template%%_*} lang=${template#*_} name=own_$2
rm -rf "$folder"
"$prefix/bin/chimera-host" new "$kind" "$name" --lang "$lang" "$folder" >/dev/null
cd "$folder"
! grep -rn "my_$kind\|examples/rust\|\.\./docs" . || { echo "is still called by the template's name"; exit 1; }
lines=$(find . -name '*.c' -o -name '*.cpp' -o -name '*.rs' | xargs -n1 wc -l | awk '$1 > most { most = $1 } END { print most }')
[ "$lines" -lt 150 ] || { echo "a source of $lines lines is not read in one go"; exit 1; }

if [ "$lang" = rust ]; then
  export PATH=$prefix/bin:$PATH CARGO_TARGET_DIR=$folder.target # kept: its crates need not be built again
  cargo build --release --offline --quiet
  exec cargo test --release --offline --quiet
fi
# Under sanitizers, too: what authors begin with has no undefined behaviour.
sed -i 's/^\(chimera_add_plugin(.*\))$/\1 SANITIZE address undefined)/' CMakeLists.txt
cmake -B build -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_FLAGS=-Werror -DCMAKE_CXX_FLAGS=-Werror >/dev/null
cmake --build build
ctest --test-dir build --output-on-failure
cmake --install build --prefix "$prefix" >/dev/null
"$prefix/bin/chimera-host" plugins --json | grep -F "/$name.so\"" >/dev/null
