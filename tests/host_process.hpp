// Runs chimera-host as a user does: a process, its output, its exit status.
#pragma once

#include "temporary_folder.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace chimera::test {

struct outcome {
    int status = -1; ///< exit status; 128 + signal when it was killed
    std::string out, err;
    std::chrono::milliseconds took{};
    /// Standard output as JSON; fails the test when it is not JSON.
    nlohmann::json json() const;
    /// The mean of a metric in the summary of --json.
    double mean(const char* metric) const;
};

/// A program running in the background, its output collected. Killed on destruction if it still runs.
class process {
  public:
    process(const std::filesystem::path& program, const std::vector<std::string>& arguments);
    process(const process&) = delete;
    process& operator=(const process&) = delete;
    ~process();

    pid_t pid() const { return pid_; }
    /// Waits until standard error contains the text, 20 s at most; fails the test when it does not come.
    void wait_for_error_text(const std::string& text);
    /// What came on standard error so far.
    const std::string& error_text() const { return outcome_.err; }
    void signal(int number) const;
    /// Waits for the end, 60 s at most, then kills.
    outcome wait();

  private:
    void collect(int timeout_ms);

    pid_t pid_ = -1;
    int out_fd_ = -1, err_fd_ = -1;
    std::chrono::steady_clock::time_point begin_;
    outcome outcome_;
};

/// chimera-host with these arguments, to its end.
outcome run_host(const std::vector<std::string>& arguments);

/// Runs a profile, a file or the name of one in profiles/, with --json, --ui none and results in `results`.
outcome run_profile(const temporary_folder& results, const std::filesystem::path& profile,
                    std::vector<std::string> arguments = {});

/// Runs until two runs have a mean efficiency between these, or two have not; gives the last of these two. A machine
/// that is busy for a moment spoils one run; a defect spoils most.
outcome run_for_efficiency(double low, double high, const std::function<outcome()>& run);

/// A campaign of a second or less: two agents call the embedded simulator, in two runs, and get 20 to 40 tokens. Its
/// name is "quick"; tables may be appended.
inline const std::string quick_profile = R"(
name = "quick"
[executor]
plugin = "thread_pool"
[transport]
plugin = "socket"
[backend.simulator]
load_ms = 0
prefill_tokens_per_s = 0
decode_tokens_per_s = 2000
reply_tokens_min = 20
reply_tokens_max = 40
[workload]
kind = "calls"
prompts = ["count"]
[measure]
runs = 2
warmup = 0
time_limit_s = 30
)";
/// [sweep] for it: the runtimes "pool" and "fiber".
inline const std::string two_runtimes = R"(
[sweep]
[[sweep.runtimes]]
name = "pool"
[[sweep.runtimes]]
name = "fiber"
set.executor = { plugin = "fiber" }
)";

bool contains(const std::string& text, const std::string& part);
/// The bytes of a file; none where it cannot be read.
std::string content_of(const std::filesystem::path& file);
/// The status, these words on standard error and nothing on standard output.
void check_refused(const outcome& o, int status, const std::string& saying);

std::filesystem::path profile_path(const std::string& name);
std::filesystem::path host_program();
std::filesystem::path simulator_program();

/// How many simulators run that were started, directly or through a host, by this test process.
int simulators_running();

} // namespace chimera::test
