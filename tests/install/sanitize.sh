#!/usr/bin/env bash
# sanitize.sh PREFIX FOLDER: chimera_add_plugin(... SANITIZE ...) with an installed package. A sound executor passes under
# each sanitizer. Three defects are each found by their sanitizer; with two of them the plain plugin passes.
set -euo pipefail
prefix=$1 folder=$2

# make NAME: the C++ template in a folder of its own, sanitized.
make() {
  rm -rf "${folder:?}/$1"
  "$prefix/bin/chimera-host" new executor "$1" "$folder/$1" >/dev/null
  cd "$folder/$1"
  sed -i "s/SOURCES $1.cpp)/SOURCES $1.cpp $2)/" CMakeLists.txt
}
build() {
  cmake -B build -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_CXX_FLAGS=-Werror >/dev/null
  cmake --build build >/dev/null
}
passes() {
  ctest --test-dir build -R "^validate\.$1\$" --output-on-failure >/dev/null || { echo "$1: the plain plugin fails"; exit 1; }
}
# finds NAME SANITIZER WORDS: the sanitized plugin does not pass, and the sanitizer says why.
finds() {
  if ctest --test-dir build -R "^validate\.$1\.$2\$" -V >said 2>&1; then
    echo "$1: $2 did not find it"; exit 1
  fi
  grep -qE "$3" said || { echo "$1: $2 does not say: $3"; cat said; exit 1; }
}

make sound "SANITIZE address thread undefined"
build
[ ! -e build/sound.address.so ] && [ -e build/address/sound.so ]
ctest --test-dir build -R '^validate' --output-on-failure

# The queue is used without its lock. Whether the plain plugin passes depends on the moment.
make races "SANITIZE thread CONFORMANCE_ARGS --case wake.*"
sed -i '0,/const std::lock_guard lock(mutex_);/s///' races.cpp
build
finds races thread 'ThreadSanitizer: data race'

# A cell is read after its reference was given back.
make looks_late "SANITIZE address CONFORMANCE_ARGS --case task.*"
sed -i -e 's/live_.remove(cell);/&\nif (cell.worker() > 1000) stop();/' \
  -e 's/if (life_.poll(\*cell) == .*) queue(\*cell);/&\nif (cell->worker() > 1000) stop();/' looks_late.cpp
build
passes looks_late
finds looks_late address 'AddressSanitizer: heap-use-after-free'

# A count that overflows.
make counts_wrong "SANITIZE undefined CONFORMANCE_ARGS --case task.*"
sed -i -e 's/live_.remove(cell);/&\npolled_ += 1'"'000'000'000"';/; s/bool stopped_ = false;/&\nint polled_ = 0;/' \
  -e 's/if (life_.poll(\*cell) == .*) queue(\*cell);/&\npolled_ += 1'"'000'000'000"';/' \
  -e 's|bool asleep_ = false; *//.*|&\nint polled_ = 0;|' counts_wrong.cpp
build
passes counts_wrong
finds counts_wrong undefined 'runtime error: signed integer overflow'
