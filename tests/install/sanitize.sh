#!/usr/bin/env bash
# sanitize.sh PREFIX FOLDER: chimera_add_plugin(... SANITIZE ...) with an installed package. A sound executor passes under
# each sanitizer. Three defects are each found by the sanitizer that is for them; with two of them the plain plugin passes.
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

# The queue is left unlocked, and then its condition variable is notified: by then a worker may have freed the queue. The
# plain plugin mostly passes: it depends on where in the wake the thread is held up.
make notifies_late "SANITIZE thread CONFORMANCE_ARGS --case wake.*"
sed -i -e '0,/const std::lock_guard lock(mutex_);/s//std::unique_lock lock(mutex_);/' \
  -e 's/if (std::exchange(asleep_, false)) reactor_->interrupt();/&\nlock.unlock();\nchanged_.notify_one();/' \
  -e 's/bool asleep_ = false;/&\nstd::condition_variable changed_;/' -e 's/#include <mutex>/#include <condition_variable>\n&/' \
  notifies_late.cpp
build
finds notifies_late thread 'ThreadSanitizer: (data race|heap-use-after-free)'

# A cell is looked at after the reference to it is given back.
make looks_late "SANITIZE address CONFORMANCE_ARGS --case task.*"
sed -i 's/live_.remove(cell);/&\nif (cell.worker() > 1000) stop();/' looks_late.cpp
build
passes looks_late
finds looks_late address 'AddressSanitizer: heap-use-after-free'

# A count that overflows.
make counts_wrong "SANITIZE undefined CONFORMANCE_ARGS --case task.*"
sed -i 's/live_.remove(cell);/&\npolled_ += 1'"'000'000'000"';/; s/bool stopped_ = false;/&\nint polled_ = 0;/' counts_wrong.cpp
build
passes counts_wrong
finds counts_wrong undefined 'runtime error: signed integer overflow'
