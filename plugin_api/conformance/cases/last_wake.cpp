// The wake that is the last thing that happens to an executor.
#include <malloc.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "../case.hpp"
#include "../kit/drawn.hpp"
#include "../kit/environment.hpp"

namespace chimera::conformance {

namespace {

using namespace std::chrono_literals;

/// Holds one thread up inside a call, wherever an interrupt finds it, until something else has happened: what a
/// scheduler does once in a million calls. One at a time.
class hold_up {
  public:
    /// [the thread to be held up]
    hold_up() {
        struct sigaction action {};
        action.sa_handler = [](int) {
            const int kept = errno;
            came = true;
            if (inside) {
                found = true;
                for (const std::uint64_t end = sdk::now_ns() + longest; !happened && sdk::now_ns() < end;) ::usleep(20);
                in_time = happened.load();
            }
            errno = kept;
        };
        action.sa_flags = SA_RESTART;
        ::sigaction(SIGUSR2, &action, &before_);
        sigevent to{};
        to.sigev_notify = SIGEV_THREAD_ID;
        to.sigev_signo = SIGUSR2;
        to._sigev_un._tid = ::gettid();
        if (::timer_create(CLOCK_MONOTONIC, &to, &timer_) != 0)
            throw std::system_error(errno, std::generic_category(), "timer_create");
    }
    hold_up(const hold_up&) = delete;
    hold_up& operator=(const hold_up&) = delete;
    ~hold_up() {
        ::timer_delete(timer_);
        ::sigaction(SIGUSR2, &before_, nullptr);
    }
    /// in_vain: inside, but the thread was let go before anything had happened.
    enum class interrupt { before, in_vain, inside, after };
    /// Calls f with an interrupt under way that comes after_ns from now; when it came.
    template <class F>
    interrupt during(std::uint64_t after_ns, F f) {
        came = found = in_time = false;
        itimerspec when{};
        when.it_value.tv_nsec = static_cast<long>(after_ns);
        ::timer_settime(timer_, 0, &when, nullptr);
        inside = true;
        f();
        inside = false;
        const interrupt how = in_time ? interrupt::inside
                              : found ? interrupt::in_vain
                              : came  ? interrupt::before
                                      : interrupt::after;
        ::timer_settime(timer_, 0, &none, nullptr);
        return how;
    }
    static inline std::atomic<bool> happened{false}; ///< what the thread is held up for

  private:
    static constexpr itimerspec none{};
    static constexpr std::uint64_t longest = 1'000'000; // ns; the other thread may have to wait for a CPU
    static inline std::atomic<bool> inside{false}, came{false}, found{false}, in_time{false};
    struct sigaction before_ {};
    timer_t timer_{};
};

/// Gives what this thread has freed another content, where the allocator keeps it as it was: small blocks, by size.
void overwrite_freed() {
    std::array<void*, 7> blocks;
    for (std::size_t size = 24; size <= 1032; size += 16) {
        for (void*& b : blocks) {
            b = std::malloc(size);
            if (b) std::memset(b, 0xa5, size);
        }
        for (void* const b : blocks) std::free(b);
    }
}

/// For ThreadSanitizer, which needs no luck to see that two threads are not ordered, and delivers signals when it
/// likes. A thread for each round: starting it is an order that the sanitizer knows of, also where the kit is built
/// without it.
void into_destroy_by_new_threads(environment& env) {
    for (unsigned round = 0; round < 50; ++round) {
        sdk::waker last;
        std::atomic<bool> given{false};
        const auto e = env.make_executor();
        e->spawn([&, first = true](chm_waker* w) mutable {
            if (!std::exchange(first, false)) return CHM_READY;
            last = sdk::waker::clone(w);
            given = true;
            return CHM_PENDING;
        });
        const foreign_thread waking(env.probes(), [&] {
            wait_until([&] { return given.load(); }, "the first poll");
            wake(last);
        });
        e->run_until_idle();
        e->destroy();
    }
}

/// The wake that makes a task ready ends the run, and the executor is destroyed at once. The waking thread may then
/// still be inside the wake. Only memory that it holds a reference to is left. The case holds it up there, and fills
/// the freed memory with another content.
void into_destroy(environment& env) {
    if (under_tsan) return into_destroy_by_new_threads(env);
    random_source random = env.random();
    std::atomic<bool> over{false}, armed{false}, returned{true};
    sdk::waker_slot slot;
    ::mallopt(M_PERTURB, 0xa5); // the same for large blocks
    const foreign_thread waking(env.probes(), [&] {
        hold_up held;
        std::uint64_t after_ns = 3000;
        while (!over) {
            sdk::waker w = armed ? slot.take() : sdk::waker();
            if (!w) continue;
            armed = false;
            const auto how =
                held.during(after_ns * drawn(random, 700, 1300) / 1000 + 1, [&] { wake(w); }); // anywhere in the wake
            // Where destroy waits for the wake to leave the executor, holding the wake up before that is in vain. So
            // the aim is late: mistakes come after it.
            if (how == hold_up::interrupt::before || how == hold_up::interrupt::in_vain) after_ns += after_ns / 16 + 20;
            if (how == hold_up::interrupt::after) after_ns -= after_ns / 16;
            returned.store(true, std::memory_order_relaxed); // says nothing else: the executor is destroyed without it
        }
    });
    struct end {
        std::atomic<bool>& over;
        ~end() { over = true; }
    } at_exit{over};
    for (rounds_in rounds(2500ms, scaled(4000)); rounds.next();) {
        const auto e = env.make_executor();
        hold_up::happened = false;
        returned = false;
        e->spawn([&, first = true](chm_waker* w) mutable {
            if (!std::exchange(first, false)) return CHM_READY;
            slot.set(w);
            armed = true;
            return CHM_PENDING;
        });
        e->run_until_idle();
        e->destroy(); // nobody waits for the wake to return
        if (!sanitized) overwrite_freed();
        hold_up::happened = true;
        const std::uint64_t limit = sdk::now_ns() + (sanitized ? 30 : 3) * 1'000'000'000ULL;
        while (!returned.load(std::memory_order_relaxed)) {
            std::this_thread::yield();
            if (sdk::now_ns() < limit) continue;
            env.probes().report("a wake does not return whose executor was destroyed while it was under way: it uses "
                                "what destroy has freed");
            ::_exit(1); // its thread cannot be joined
        }
    }
}

constexpr test_case cases[] = {
    {"wake.into_destroy", kind::executor,
     "An executor may be destroyed while the wake that ended its run is still returning", into_destroy},
};

} // namespace

std::span<const test_case> last_wake_cases() { return cases; }

} // namespace chimera::conformance
