#include "backend/server_pool.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <optional>
#include <system_error>

#include <sys/mman.h>
#include <unistd.h>

namespace chimera::host {
namespace {

double speed_of(const backend_spec& backend, std::size_t instance) {
    return backend.speeds.empty() ? 1 : std::stod(backend.speeds[instance % backend.speeds.size()]);
}

std::size_t instance_limit(const profile& p) {
    return p.backend.instances == 0 ? p.workload.agents.size() : static_cast<std::size_t>(p.backend.instances);
}

/// The simulator's command line is its option table in kebab-case.
std::vector<std::string> arguments_for(const backend_spec& backend, std::size_t instance,
                                       const std::string& shared_gpu) {
    std::vector<std::string> arguments;
    for (const option_value& option : backend.simulator) {
        if (option.value.empty()) continue; // an empty text is "not given"
        std::string name = option.key;
        std::ranges::replace(name, '_', '-');
        const std::string value = option.key == "decode_tokens_per_s"
                                      ? fmt::format("{}", std::stod(option.value) * speed_of(backend, instance))
                                      : option.value;
        arguments.push_back("--" + name + "=" + value);
    }
    if (!shared_gpu.empty()) arguments.push_back("--shared-gpu=" + shared_gpu);
    return arguments;
}

/// A file through which simulators slow each other down, until every one of them has it open. It has no name in any
/// folder: nothing is left of it, however this process ends. Simulators inherit the descriptor: they could not open it
/// below /proc/PID/fd of a process that keeps a secret.
class shared_gpu_file {
  public:
    shared_gpu_file()
        : fd_(sdk::owned_fd::checked(memfd_create("chimera-gpu", 0), "a file for the shared GPU")),
          path_(fmt::format("/proc/self/fd/{}", fd_.get())) {}
    /// For a process that is started now.
    const std::string& path() const noexcept { return path_; }

  private:
    sdk::owned_fd fd_;
    std::string path_;
};

} // namespace

server_pool::server_pool(const profile& p, const std::filesystem::path& simulator) {
    std::optional<shared_gpu_file> gpu;
    if (p.needs_simulator() && p.backend.shared_gpu) gpu.emplace();
    const std::size_t limit = instance_limit(p);
    std::size_t simulated = 0;
    for (const agent_spec& agent : p.workload.agents) {
        if (!agent.url.empty()) {
            urls_.push_back(agent.url);
            continue;
        }
        const std::size_t instance = simulated++ % limit;
        if (instance == simulators_.size())
            simulators_.emplace_back(simulator, arguments_for(p.backend, instance, gpu ? gpu->path() : std::string()));
        urls_.push_back(simulators_[instance].url());
    }
}

std::vector<std::optional<double>> undisturbed_rates(const profile& p) {
    const auto value_of = [&p](std::string_view key) {
        const auto found = std::ranges::find(p.backend.simulator, key, &option_value::key);
        return found == p.backend.simulator.end() ? 0 : std::stod(found->value);
    };
    std::vector<std::optional<double>> out(p.workload.agents.size());
    const double rate = value_of("decode_tokens_per_s");
    if (rate == 0 || value_of("contention") != 0) return out;
    std::size_t simulated = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const agent_spec& agent = p.workload.agents[i];
        if (!agent.url.empty()) continue;
        const double speed = speed_of(p.backend, simulated++ % instance_limit(p));
        if (!agent.options.num_gpu) out[i] = rate * speed;
    }
    return out;
}

std::filesystem::path simulator_program() {
    if (const char* named = std::getenv("CHIMERA_SIMULATOR")) return named;
    return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "chimera-sim";
}

} // namespace chimera::host
