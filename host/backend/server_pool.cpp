#include "backend/server_pool.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <system_error>

#include <unistd.h>

namespace chimera::host {
namespace {

/// The simulator's command line is its option table in kebab-case.
std::vector<std::string> arguments_for(const backend_spec& backend, const std::string& shared_gpu) {
    std::vector<std::string> arguments;
    for (const option_value& option : backend.simulator) {
        if (option.value.empty()) continue; // an empty text is "not given"
        std::string name = option.key;
        std::ranges::replace(name, '_', '-');
        arguments.push_back("--" + name + "=" + option.value);
    }
    if (!shared_gpu.empty()) arguments.push_back("--shared-gpu=" + shared_gpu);
    return arguments;
}

/// A file through which simulators slow each other down, until every one of them has it open.
class shared_gpu_file {
  public:
    shared_gpu_file() : path_((std::filesystem::temp_directory_path() / "chimera-gpu-XXXXXX").string()) {
        const sdk::owned_fd fd = sdk::owned_fd::checked(mkstemp(path_.data()), "a file for the shared GPU");
    }
    shared_gpu_file(const shared_gpu_file&) = delete;
    shared_gpu_file& operator=(const shared_gpu_file&) = delete;
    ~shared_gpu_file() { unlink(path_.c_str()); }
    const std::string& path() const noexcept { return path_; }

  private:
    std::string path_;
};

} // namespace

server_pool::server_pool(const profile& p, const std::filesystem::path& simulator) {
    const bool one = p.backend.instances == simulator_instances::one;
    std::optional<shared_gpu_file> gpu;
    if (p.needs_simulator() && p.backend.shared_gpu) gpu.emplace();
    const std::vector<std::string> arguments = arguments_for(p.backend, gpu ? gpu->path() : std::string());
    for (const agent_spec& agent : p.workload.agents) {
        if (!agent.url.empty()) {
            urls_.push_back(agent.url);
            continue;
        }
        if (simulators_.empty() || !one) simulators_.emplace_back(simulator, arguments);
        urls_.push_back(simulators_.back().url());
    }
}

std::filesystem::path simulator_program() {
    if (const char* named = std::getenv("CHIMERA_SIMULATOR")) return named;
    return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "chimera-sim";
}

} // namespace chimera::host
