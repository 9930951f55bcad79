#include "run/interruption.hpp"

#include <chimera/sdk/clock.hpp>

#include <csignal>
#include <cstdio>
#include <ctime>

#include <unistd.h>

namespace chimera::host {
namespace {

constexpr long look_every_ns = 20'000'000;
constexpr std::uint64_t grace_ns = 900'000'000;
/// After the time limit, for an executor that does not end: in a plugin that blocks, one poll may last for ever. A
/// sweep kills its cell earlier.
constexpr std::uint64_t limit_grace_ns = 12'000'000'000;
constexpr int status_interrupted = 130, status_incomplete = 1;

} // namespace

sigset_t ending_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

bool end_is_asked() {
    sigset_t pending;
    return sigpending(&pending) == 0 && (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

void take_over_signals() {
    std::signal(SIGPIPE, SIG_IGN);
    const sigset_t set = ending_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

interruption::interruption(execution_control& control, double time_limit_s) : control_(control) {
    watcher_ = std::thread([this, time_limit_s] { watch(time_limit_s); });
}

interruption::~interruption() {
    over_.store(true, std::memory_order_release);
    watcher_.join();
}

void interruption::watch(double time_limit_s) {
    const sigset_t set = ending_signals();
    const std::uint64_t begin = sdk::now_ns();
    const auto limit = begin + static_cast<std::uint64_t>(time_limit_s * 1e9);
    std::uint64_t signalled = 0;
    while (!over_.load(std::memory_order_acquire)) {
        const timespec look{0, look_every_ns};
        const bool signal = sigtimedwait(&set, nullptr, &look) > 0;
        const std::uint64_t now = sdk::now_ns();
        if ((signal && signalled) || (signalled && now - signalled > grace_ns)) {
            std::fputs("\nended at once; finished runs are on disk\n", stderr);
            _exit(status_interrupted);
        }
        if (reason() == interruption_reason::time_limit && now > limit + limit_grace_ns) {
            std::fputs("\nstill not stopped, ended at once; finished runs are on disk\n", stderr);
            _exit(status_incomplete);
        }
        if (signal) {
            signalled = now;
            reason_.store(interruption_reason::signal, std::memory_order_release);
            std::fputs("\nstopping; finished runs are kept\n", stderr);
            control_.stop();
        } else if (now > limit && reason() == interruption_reason::none) {
            reason_.store(interruption_reason::time_limit, std::memory_order_release);
            std::fprintf(stderr, "\nthe time limit of %g s (measure.time_limit_s) has passed; stopping\n",
                         time_limit_s);
            control_.stop();
        }
    }
}

} // namespace chimera::host
