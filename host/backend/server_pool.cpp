#include "backend/server_pool.hpp"

#include "process/child_process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chimera::host {

// ---- simulator_process

namespace {

constexpr int start_limit_ms = 10'000;
constexpr int bad_options_status = 2; // docs/simulator.md

struct pipe_ends {
    sdk::owned_fd read, write;
    pipe_ends() {
        int fds[2];
        if (pipe2(fds, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
        read = sdk::owned_fd(fds[0]);
        write = sdk::owned_fd(fds[1]);
    }
};

/// The first line of a stream; if the stream ends before, the text so far.
std::string first_line(int fd) {
    std::string text;
    char c = 0;
    pollfd p{fd, POLLIN, 0};
    while (poll(&p, 1, start_limit_ms) > 0 && read(fd, &c, 1) == 1 && c != '\n') text += c;
    return text;
}

pid_t spawn(const std::filesystem::path& program, const std::vector<std::string>& arguments, int in, int out) {
    std::vector<std::string> words{program.string(), "--exit-with-parent", "--quiet"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    try {
        return spawn_child(std::move(words), in, out);
    } catch (const std::system_error& e) {
        throw simulator_error(fmt::format("cannot start the simulator {}: {}", program.string(), e.code().message()),
                              false);
    }
}

/// Ends the process with SIGTERM, and after a second with SIGKILL. Returns its wait status.
int end(pid_t pid) {
    int status = 0;
    kill(pid, SIGTERM);
    for (int i = 0; i < 100; ++i) {
        if (waitpid(pid, &status, WNOHANG) != 0) return status;
        poll(nullptr, 0, 10);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return status;
}

} // namespace

simulator_process::simulator_process(const std::filesystem::path& program, const std::vector<std::string>& arguments) {
    pipe_ends in, out;
    pid_ = spawn(program, arguments, in.read.get(), out.write.get());
    stdin_ = std::move(in.write);
    out.write.reset();
    const std::string line = first_line(out.read.get());
    constexpr std::string_view prefix = "listening ";
    if (!line.starts_with(prefix)) {
        const int status = end(std::exchange(pid_, -1)); // it ended by itself, unless it hangs
        const int exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        throw simulator_error(fmt::format("the simulator {} did not start: {}", program.string(),
                                          exit_code == bad_options_status
                                              ? "it refused [backend.simulator]; its message is above"
                                          : exit_code > 0 ? fmt::format("it ended with status {}", exit_code)
                                                          : std::string("it did not say where it listens")),
                              exit_code == bad_options_status);
    }
    url_ = line.substr(prefix.size());
}

simulator_process::simulator_process(simulator_process&& o) noexcept
    : stdin_(std::move(o.stdin_)), pid_(std::exchange(o.pid_, -1)), url_(std::move(o.url_)) {}

simulator_process& simulator_process::operator=(simulator_process&& o) noexcept {
    std::swap(stdin_, o.stdin_);
    std::swap(pid_, o.pid_);
    std::swap(url_, o.url_);
    return *this;
}

simulator_process::~simulator_process() {
    if (pid_ >= 0) end(pid_);
}

// ---- server_pool

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
        if (option.value.empty()) continue; // an empty text means "not given"
        std::string name = option.key;
        std::ranges::replace(name, '_', '-');
        const std::string value = option.key == "decode_tokens_per_s"
                                      ? fmt::format("{}", std::stod(option.value) * speed_of(backend, instance))
                                      : option.value;
        arguments.push_back(fmt::format("--{}={}", name, value));
    }
    if (!shared_gpu.empty()) arguments.push_back("--shared-gpu=" + shared_gpu);
    return arguments;
}

/// A file through which simulators slow each other down. Needed until each of them has opened it. It has no name in any
/// folder, so nothing remains of it, however this process ends. Simulators inherit the descriptor, because they could
/// not open it below /proc/PID/fd of a process that holds a secret.
class shared_gpu_file {
  public:
    shared_gpu_file()
        : fd_(sdk::owned_fd::checked(memfd_create("chimera-gpu", 0), "a file for the shared GPU")),
          path_(fmt::format("/proc/self/fd/{}", fd_.get())) {}
    /// Its name in a child that is started now.
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
            urls_.push_back(&*distinct_urls_.insert(agent.url).first);
            continue;
        }
        const std::size_t instance = simulated++ % limit;
        if (instance == simulators_.size())
            simulators_.emplace_back(simulator, arguments_for(p.backend, instance, gpu ? gpu->path() : std::string()));
        urls_.push_back(&*distinct_urls_.insert(simulators_[instance].url()).first);
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
