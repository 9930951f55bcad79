#!/usr/bin/env bash
# by_hand.sh PREFIX FOLDER: a C++ plugin without CMake. With -fvisibility=hidden alone it exports what libstdc++
# instantiates; the validator warns, and what its warning says removes it. What pkg-config says is enough at once.
set -euo pipefail
prefix=$1 folder=$2
export PKG_CONFIG_PATH=$prefix/share/pkgconfig
rm -rf "$folder"
"$prefix/bin/chimera-host" new executor by_hand "$folder" >/dev/null
cd "$folder"

# A use of the library that instantiates much.
sed -i 's/#include <mutex>/#include <mutex>\n#include <regex>/' by_hand.cpp
sed -i 's/event_interval_(\(given.integer([^)]*)\))/event_interval_(std::regex_match("1", std::regex("1")) ? \1 : 0)/' by_hand.cpp
plain="-std=c++20 -O1 -fPIC -shared -pthread -fvisibility=hidden -I$prefix/include -Wl,-z,nodelete"
say() { chmod go-w by_hand.so; "$prefix/bin/chimera-host" validate ./by_hand.so --case 'file.*'; }

# shellcheck disable=SC2086
c++ by_hand.cpp $plain -o by_hand.so
say >said
grep -q 'warning file.one_symbol' said || { echo "no warning to follow"; cat said; exit 1; }
advice=$(grep -o -- '-Wl,--version-script=\$([^)]*)' said)
# shellcheck disable=SC2086
c++ by_hand.cpp $plain "$(eval echo "$advice")" -o by_hand.so
say >said
grep -q ' 0 failed' said && ! grep -q warning said || { echo "following it did not help: $advice"; cat said; exit 1; }

# shellcheck disable=SC2046
c++ -std=c++20 -O1 by_hand.cpp $(pkg-config --cflags --libs chimera_plugin_api) -o by_hand.so
say >said
grep -q ' 0 failed' said && ! grep -q warning said || { echo "what pkg-config says is not enough"; cat said; exit 1; }
