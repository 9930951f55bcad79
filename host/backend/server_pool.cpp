#include "backend/server_pool.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include <unistd.h>

namespace chimera::host {
namespace {

/// The simulator's command line is its option table in kebab-case.
std::vector<std::string> arguments_for(const backend_spec& backend, const std::filesystem::path& shared_gpu) {
    std::vector<std::string> arguments;
    for (const option_value& option : backend.simulator) {
        if (option.value.empty()) continue; // an empty text is "not given"
        std::string name = option.key;
        std::ranges::replace(name, '_', '-');
        arguments.push_back("--" + name + "=" + option.value);
    }
    if (!shared_gpu.empty()) arguments.push_back("--shared-gpu=" + shared_gpu.string());
    return arguments;
}

std::filesystem::path make_shared_gpu_file() {
    std::string name = (std::filesystem::temp_directory_path() / "chimera-gpu-XXXXXX").string();
    const sdk::owned_fd fd = sdk::owned_fd::checked(mkstemp(name.data()), "a file for the shared GPU");
    return name;
}

} // namespace

server_pool::server_pool(const profile& p, const std::filesystem::path& simulator) {
    const bool one = p.backend.instances == simulator_instances::one;
    std::filesystem::path shared_gpu; // through which the simulators slow each other down; empty: none
    if (p.needs_simulator() && p.backend.shared_gpu) shared_gpu = make_shared_gpu_file();
    for (const agent_spec& agent : p.workload.agents) {
        if (!agent.url.empty()) {
            urls_.push_back(agent.url);
            continue;
        }
        if (simulators_.empty() || !one) simulators_.emplace_back(simulator, arguments_for(p.backend, shared_gpu));
        urls_.push_back(simulators_.back().url());
    }
    if (!shared_gpu.empty()) unlink(shared_gpu.c_str()); // every simulator has it open
}

std::filesystem::path simulator_program() {
    if (const char* named = std::getenv("CHIMERA_SIMULATOR")) return named;
    return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "chimera-sim";
}

} // namespace chimera::host
