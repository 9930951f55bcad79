#!/usr/bin/env bash
# install_and_move.sh BUILD PREFIX: installs the build and moves the installation to PREFIX, where everything must be found
# all the same: plugins, simulator, profiles, headers.
set -euo pipefail
build=$1 prefix=$2
first=$prefix.first
rm -rf "$prefix" "$first"
cmake --install "$build" --prefix "$first" >/dev/null
mv "$first" "$prefix"

cd "$prefix"
host=$prefix/bin/chimera-host
env -i PATH=/usr/bin:/bin "$host" plugins --json >plugins.json
for plugin in "$prefix"/lib*/chimera/*.so "$prefix"/lib/*/chimera/*.so; do
  [ -e "$plugin" ] || continue
  grep -qF "\"$plugin\"" plugins.json || { echo "not found: $plugin"; cat plugins.json; exit 1; }
done
"$host" --profile single_agent --runs 1 --warmup 0 --ui none --output-dir results \
  --set workload.kind=calls --set measure.baseline=false \
  --set backend.simulator.reply_tokens_min=5 --set backend.simulator.reply_tokens_max=5 >/dev/null

# Without CMake: what pkg-config says is enough for one compiler call.
flags=$(PKG_CONFIG_PATH=$prefix/share/pkgconfig pkg-config --cflags --libs chimera_plugin_api)
# shellcheck disable=SC2086
cc share/chimera/templates/executor_c/my_executor.c $flags -o my_executor.so
chmod go-w my_executor.so
CHIMERA_PLUGIN_PATH=$prefix "$host" plugins --json | grep -F "\"$prefix/my_executor.so\"" >/dev/null
