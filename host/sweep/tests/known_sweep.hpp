// Sweeps from texts, with plugins that take every option.
#pragma once

#include "sweep/definition.hpp"
#include "temporary_folder.hpp"

#include <chimera/abi/option.h>

#include <array>
#include <filesystem>
#include <string>

namespace chimera::test {

inline chimera::host::schema_answer any_plugin(chimera::host::plugin_kind, const std::string& plugin,
                                               const std::filesystem::path&) {
    // Every option that a plugin of this repository has in one of its sweeps.
    static constexpr std::array schema{
        chm_option{sizeof(chm_option), CHM_OPT_INT, "workers", "threads", "1", nullptr, 1, 64},
        chm_option{sizeof(chm_option), CHM_OPT_INT, "buffer_size", "bytes", "8192", nullptr, 1, 1e6},
        chm_option{sizeof(chm_option), CHM_OPT_INT, "read_size", "bytes", "1024", nullptr, 1, 1e6},
        chm_option{sizeof(chm_option), CHM_OPT_STRING, "delivery", "when", "immediate", nullptr, 1, 0},
        chm_option{sizeof(chm_option), CHM_OPT_STRING, "flavor", "which", "multi_thread", nullptr, 1, 0},
        chm_option{sizeof(chm_option), CHM_OPT_STRING, "await", "how", "wake", nullptr, 1, 0}};
    if (plugin == "missing") return {{}, "no such plugin"};
    return {schema, {}};
}

inline chimera::host::sweep_definition sweep_of(const std::string& text,
                                                const chimera::host::profile_overrides& overrides = {}) {
    const temporary_folder folder;
    return chimera::host::load_sweep(folder.write("sweep.toml", text), any_plugin, overrides);
}

inline const std::string base = R"(
name = "s"
[executor]
plugin = "thread_pool"
options = { workers = 2 }
[transport]
plugin = "curl"
[measure]
runs = 2
)";

inline const std::string two_by_two = base + R"(
[sweep]
[[sweep.runtimes]]
name = "a"
[[sweep.runtimes]]
name = "b"
set.executor = { plugin = "fiber" }
[[sweep.configs]]
name = "plain"
[[sweep.configs]]
name = "tuned"
set.workload.agents."*".options = { num_gpu = 7 }
)";

} // namespace chimera::test
