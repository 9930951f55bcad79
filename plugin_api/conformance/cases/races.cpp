// What a reactor reports at the very moment at which it is asked or told to forget.
#include <sys/timerfd.h>
#include <unistd.h>

#include <cstdint>
#include <deque>
#include <string_view>

#include "../case.hpp"
#include "../kit/counting_waker.hpp"
#include "../kit/drawn.hpp"
#include "../kit/on_reactor.hpp"
#include "chimera/sdk/owned_fd.hpp"

namespace chimera::conformance {

namespace {

using namespace std::chrono_literals;

/// A descriptor that becomes readable by itself, a moment after it was told to: by an interrupt, so that no thread of
/// the kit has to run for it. Its waker is cloned between a reactor's two looks at the readiness; a clone that takes
/// its time holds a window open that is otherwise some nanoseconds wide.
class alarm {
  public:
    alarm(chm_reactor* r, const sdk::waker& to)
        : io(r, fd_.get()), waker_(to, {}, [this] {
              if (!std::exchange(rings_in_clone, false)) return;
              ring();
              pass_until(sdk::now_ns() + 3 * ahead_ns);
          }) {}

    bool rings_in_clone = false;
    std::uint32_t seen = 0; ///< by the last poll; 0: it waits for a wake

    static constexpr std::uint64_t ahead_ns = 25'000; ///< long enough for whoever rings to be at it by then
    /// Makes the descriptor readable, ahead_ns from now.
    void ring() const noexcept {
        itimerspec when{};
        when.it_value.tv_nsec = ahead_ns;
        ::timerfd_settime(fd_.get(), 0, &when, nullptr);
    }
    void poll() {
        wakes_ = waker_.wakes();
        seen = io.poll(CHM_IO_READ, waker_.get());
    }
    /// Waits until a wake has come for what the last poll did not see, and takes what there is.
    sdk::task<void> finish(std::string_view lost) {
        while (seen == 0) {
            auto woken = yield_until([this] { return waker_.wakes() > wakes_; }, lost, 3);
            co_await woken;
            sdk::yield_now once; // a runtime may allow so many polls in one turn, and then wakes to go on in the next
            co_await once;
            poll(); // a wake may be for something else
        }
        std::uint64_t times = 0;
        expect(::read(fd_.get(), &times, sizeof times) == sizeof times, "what is reported to be readable must be so");
    }
    static void pass_until(std::uint64_t when) noexcept {
        while (sdk::now_ns() < when) {
        }
    }

  private:
    sdk::owned_fd fd_ =
        sdk::owned_fd::checked(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd_create");

  public:
    sdk::io io;

  private:
    counting_waker waker_;
    unsigned wakes_ = 0; // before the last poll
};

sdk::task<void> meets_poll(chm_reactor* r, environment& env) {
    current_waker get;
    const sdk::waker mine = co_await get;
    random_source random = env.random();
    meeting at(random);
    std::deque<alarm> alarms;
    for (unsigned i = 0; i < 8; ++i) alarms.emplace_back(r, mine);
    for (rounds_in rounds(700ms, 2000); rounds.next();) {
        for (alarm& a : alarms) {
            a.rings_in_clone = drawn(random, 0, 15) == 0;
            const bool in_clone = a.rings_in_clone;
            if (!in_clone) {
                const std::uint64_t when = at.guess_ns() + alarm::ahead_ns;
                a.ring();
                alarm::pass_until(when);
            }
            a.poll();
            if (std::exchange(a.rings_in_clone, false)) a.ring(); // nobody cloned
            if (!in_clone) a.seen == 0 ? at.was_early() : at.was_late();
        }
        for (alarm& a : alarms) {
            auto finished = a.finish("a wake for what was reported while io_poll left its waker");
            co_await finished;
            a.io.drained(a.seen, CHM_IO_READ);
        }
    }
}

sdk::task<void> meets_clear(chm_reactor* r, environment& env) {
    current_waker get;
    const sdk::waker mine = co_await get;
    random_source random = env.random();
    meeting at(random);
    std::deque<alarm> alarms;
    for (unsigned i = 0; i < 8; ++i) alarms.emplace_back(r, mine);
    for (rounds_in rounds(700ms, 2000); rounds.next();) {
        for (alarm& a : alarms) {
            a.ring();
            a.poll();
        }
        for (alarm& a : alarms) {
            auto finished = a.finish("a wake for what was reported before or after io_poll");
            co_await finished;
        }
        for (alarm& a : alarms) {
            const std::uint64_t when = at.guess_ns() + alarm::ahead_ns;
            a.ring();
            do { // as of before it rang: from its report on they are out of date
                for (unsigned i = 0; i < 16; ++i) a.io.drained(a.seen, CHM_IO_READ);
            } while (sdk::now_ns() < when);
            a.poll();
            a.seen == 0 ? at.was_early() : at.was_late();
        }
        for (alarm& a : alarms) {
            auto finished = a.finish("a wake for what was reported while io_clear forgot");
            co_await finished;
            a.io.drained(a.seen, CHM_IO_READ);
        }
    }
}

template <reactor_body Body>
void everywhere(environment& env) {
    on_every_thread(env, Body, true);
}

constexpr test_case cases[] = {
    {"io.report_meets_poll", kind::reactor, "An event at the moment of a poll is seen by the poll or wakes the task",
     everywhere<meets_poll>},
    {"io.report_meets_clear", kind::reactor, "An event at the moment of a clear is not lost", everywhere<meets_clear>},
};

} // namespace

std::span<const test_case> race_cases() { return cases; }

} // namespace chimera::conformance
