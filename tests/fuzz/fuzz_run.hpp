// A fuzzer's main: iterations in a child process that may die, watched by a parent that knows which one it was.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>

namespace chimera::fuzz {

using random_source = std::mt19937_64;

struct run_options {
    std::uint64_t seed = 1;
    double seconds = 5;
    std::optional<std::uint64_t> only; ///< one iteration
    std::string subject;               ///< the fuzzer's own argument, such as a plugin; empty: none
    std::string replay;                ///< a file, or a folder of files: these inputs, nothing drawn
};

/// One fuzzer.
class fuzzer {
  public:
    virtual ~fuzzer() = default;
    /// Everything drawn from `random`. Empty: nothing was wrong; otherwise the failure.
    virtual std::string iterate(random_source& random) = 0;
    /// The input of the iteration that draws from `random`, for a reader.
    virtual std::string input(random_source& random) = 0;
    /// One input that was kept (docs: README.md, corpus). Empty: nothing was wrong; otherwise the failure.
    virtual std::string replay(const std::string& bytes, random_source& random);
    /// After the last iteration: something left over. Empty: nothing.
    virtual std::string left_over() { return ""; }
};

/// The options of `main`: --seed N, --seconds N, --only N, --replay PATH, and one word behind `subject_flag`. Throws
/// std::runtime_error.
run_options parse_options(int argc, char** argv, const std::string& subject_flag);

/// Runs iterations until the time is over and prints failures with their input, and at the end how many iterations
/// there were. An iteration that ends the process, takes more than 2 GiB of memory or does not end within a minute is a
/// failure as well: the run goes on behind it. Iteration N draws from (seed, N) alone, so `--seed S --only N` repeats
/// it. Returns main's result.
int run(const char* name, const run_options& options, const std::function<std::unique_ptr<fuzzer>()>& make);

} // namespace chimera::fuzz
