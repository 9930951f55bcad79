#include "fuzz_run.hpp"

#include "corpus.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
/// Its shadow takes more address space than there is memory, so it has to count itself.
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options() {
    return "hard_rss_limit_mb=2048";
}
#endif

namespace chimera::fuzz {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr int most_failures = 20; // of one run: the first ones say enough

/// Shared by parent and child.
struct progress {
    std::atomic<std::uint64_t> next{0}; // the iteration that runs, or will
    std::atomic<int> failures{0};
};

progress& shared_progress() {
    void* const at = ::mmap(nullptr, sizeof(progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw std::runtime_error("mmap failed");
    return *new (at) progress;
}

random_source source_of(std::uint64_t seed, std::uint64_t iteration) {
    std::seed_seq words{seed >> 32U, seed & 0xffffffffU, iteration >> 32U, iteration & 0xffffffffU};
    return random_source(words);
}

/// Input N of the corpus is iteration N.
using kept_inputs = std::vector<corpus_file>;

void report(const char* name, const run_options& options, const kept_inputs& kept, std::uint64_t iteration,
            const std::string& failure, fuzzer& subject) {
    if (!options.replay.empty()) {
        std::printf("FAILURE %s --replay %s: %s\n  %s\n", name, options.replay.c_str(), kept[iteration].name.c_str(),
                    failure.c_str());
        std::fflush(stdout);
        return;
    }
    random_source random = source_of(options.seed, iteration);
    std::printf("FAILURE %s --seed %llu --only %llu\n  %s\n%s\n", name, static_cast<unsigned long long>(options.seed),
                static_cast<unsigned long long>(iteration), failure.c_str(), subject.input(random).c_str());
    std::fflush(stdout);
}

void limit_memory() {
    constexpr rlim_t most = rlim_t{2} << 30U;
    const rlimit limit{most, most};
    if (!sanitized) ::setrlimit(RLIMIT_AS, &limit);
}

/// The child: iterations until the limit, one after the other; or the inputs that were kept, all of them.
void iterate(const char* name, const run_options& options, const kept_inputs& kept, fuzzer& subject, progress& at,
             clock::time_point limit) {
    const bool replays = !options.replay.empty();
    for (; (replays ? at.next < kept.size() : clock::now() < limit) && at.failures < most_failures; ++at.next) {
        random_source random = source_of(options.seed, at.next);
        const std::string failure = replays ? subject.replay(kept[at.next].bytes, random) : subject.iterate(random);
        if (!failure.empty()) {
            ++at.failures;
            report(name, options, kept, at.next, failure, subject);
        }
        if (options.only) break;
    }
    if (const std::string left = subject.left_over(); !left.empty()) {
        ++at.failures;
        std::printf("FAILURE %s: left over at the end: %s\n", name, left.c_str());
    }
}

/// Waits for the child. Returns its status, or none where it stood still for a minute and was killed.
std::optional<int> watch(pid_t child, const progress& at) {
    std::uint64_t seen = at.next;
    auto since = clock::now();
    for (int status = 0;;) {
        if (::waitpid(child, &status, WNOHANG) == child) return status;
        std::this_thread::sleep_for(20ms);
        if (const std::uint64_t now = at.next; now != seen) {
            seen = now;
            since = clock::now();
        }
        if (clock::now() < since + 60s) continue;
        ::kill(child, SIGKILL);
        ::waitpid(child, &status, 0);
        return std::nullopt;
    }
}

} // namespace

std::string fuzzer::replay(const std::string&, random_source&) { return "this fuzzer replays nothing"; }

run_options parse_options(int argc, char** argv, const std::string& subject_flag) {
    run_options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string flag = argv[i], value = argv[i + 1];
        if (flag == "--seed")
            options.seed = std::stoull(value);
        else if (flag == "--seconds")
            options.seconds = std::stod(value);
        else if (flag == "--only")
            options.only = std::stoull(value);
        else if (flag == "--replay")
            options.replay = value;
        else if (!subject_flag.empty() && flag == subject_flag)
            options.subject = value;
        else
            throw std::runtime_error("unknown flag " + flag);
    }
    if (argc % 2 == 0) throw std::runtime_error(std::string("no value behind ") + argv[argc - 1]);
    return options;
}

int run(const char* name, const run_options& options, const std::function<std::unique_ptr<fuzzer>()>& make) {
    std::signal(SIGPIPE, SIG_IGN);
    progress& at = shared_progress();
    at.next = options.only.value_or(0);
    const auto begun = clock::now();
    const auto limit =
        begun + std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(options.seconds));
    const kept_inputs kept = options.replay.empty() ? kept_inputs() : read_corpus(options.replay);
    const pid_t parent = ::getpid();
    for (bool done = false; !done && at.failures < most_failures;) {
        std::fflush(stdout);
        const pid_t child = ::fork();
        if (child < 0) throw std::runtime_error("fork failed");
        if (child == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (::getppid() != parent) ::_exit(1);
            limit_memory();
            {
                const std::unique_ptr<fuzzer> subject = make();
                iterate(name, options, kept, *subject, at, limit);
            }
            std::exit(0); // not _exit: here the sanitizer looks for leaks
        }
        const std::optional<int> status = watch(child, at);
        done = status && WIFEXITED(*status) && WEXITSTATUS(*status) == 0;
        if (done) break;
        ++at.failures;
        report(name, options, kept, at.next,
               !status                ? "the process stood still for a minute"
               : WIFSIGNALED(*status) ? std::string("the process was killed: ") + ::strsignal(WTERMSIG(*status))
                                      : "the process exited with " + std::to_string(WEXITSTATUS(*status)),
               *make());
        ++at.next;
        done = options.only || (options.replay.empty() && clock::now() > limit);
    }
    std::printf("%s: %llu iterations in %.0f s, seed %llu, %d failures\n", name,
                static_cast<unsigned long long>(at.next - options.only.value_or(0)),
                std::chrono::duration<double>(clock::now() - begun).count(),
                static_cast<unsigned long long>(options.seed), at.failures.load());
    return at.failures == 0 ? 0 : 1;
}

} // namespace chimera::fuzz
