// What must stay true of python_asyncio beyond the contract's cases: the GIL, the reactor's bookkeeping, exceptions,
// and that the process stays the host's.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdlib>
#include <mutex>

#include "../../plugins/executors/testing/affine_reactor.hpp"
#include "../../plugins/executors/testing/executor_under_test.hpp"
#include "../../plugins/executors/testing/socket_pair.hpp"
#include "chimera/sdk/clock.hpp"
#include "chimera/sdk/waker.hpp"

using namespace chimera;
using namespace chimera::test;

const std::vector<std::string> chimera::test::plugins_under_test{"python_asyncio"};

namespace {

std::atomic<int> controls{0}, waits{0}; // epoll_ctl and epoll_wait of the whole process
template <class F>
F next_of(const char* name) {
    return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

} // namespace

// Python's calls come here first.
extern "C" CHM_EXPORT int epoll_ctl(int epfd, int op, int fd, epoll_event* event) noexcept {
    static const auto real = next_of<int (*)(int, int, int, epoll_event*)>("epoll_ctl");
    ++controls;
    return real(epfd, op, fd, event);
}
extern "C" CHM_EXPORT int epoll_wait(int epfd, epoll_event* events, int n, int ms) {
    static const auto real = next_of<int (*)(int, epoll_event*, int, int)>("epoll_wait");
    ++waits;
    return real(epfd, events, n, ms);
}

namespace {

/// This test is not linked with libpython: the plugin has shown it to everybody.
template <class F>
F python(const char* name) {
    void* const found = dlsym(RTLD_DEFAULT, name);
    REQUIRE(found != nullptr);
    return reinterpret_cast<F>(found);
}
class with_gil {
  public:
    with_gil() : state_(python<int (*)()>("PyGILState_Ensure")()) {}
    with_gil(const with_gil&) = delete;
    with_gil& operator=(const with_gil&) = delete;
    ~with_gil() { python<void (*)(int)>("PyGILState_Release")(state_); }

  private:
    int state_;
};
/// True: no exception.
bool run_python(const char* source) {
    const with_gil held;
    return python<int (*)(const char*)>("PyRun_SimpleString")(source) == 0;
}

/// An executor whose log is kept.
class heard_executor {
  public:
    heard_executor() : host_{{sizeof(chm_host), log, no_extension}, {}, {}} {
        const chm_config config{nullptr, 0};
        sdk::error_buffer err;
        err.check(executor_factory("python_asyncio").create(&host_, &config, &raw_, err.abi()));
    }
    heard_executor(const heard_executor&) = delete;
    heard_executor& operator=(const heard_executor&) = delete;
    ~heard_executor() { raw_->vt->destroy(raw_); }

    void spawn(chm_task* task) { REQUIRE(raw_->vt->spawn(raw_, task, nullptr) == CHM_OK); }
    chm_rc run() { return raw_->vt->run(raw_, CHM_RUN_UNTIL_IDLE, err_.abi()); }
    std::string error() { return std::string(err_.text()); }
    bool heard(const std::string& line) const {
        return std::ranges::any_of(host_.lines, [&](const std::string& l) { return l.find(line) != l.npos; });
    }

  private:
    struct listening_host : chm_host {
        std::mutex mutex;
        std::vector<std::string> lines;
    };
    static void log(const chm_host* h, std::int32_t, chm_str line) noexcept {
        auto& host = *const_cast<listening_host*>(static_cast<const listening_host*>(h));
        const std::lock_guard lock(host.mutex);
        host.lines.emplace_back(sdk::view(line));
    }
    static const void* no_extension(const chm_host*, const char*) noexcept { return nullptr; }

    listening_host host_;
    sdk::error_buffer err_;
    chm_executor* raw_ = nullptr;
};

TEST_CASE("a wake needs no GIL") {
    const census before;
    executor_under_test ex;
    sdk::waker_slot slot;
    std::atomic<int> polls{0}, drops{0};
    std::atomic<bool> over{false};
    ex.spawn(closure_task::counted(drops, [&](chm_waker* w) -> chm_rc {
        ++polls;
        slot.set(w);
        return over ? CHM_READY : CHM_PENDING;
    }));
    std::thread outsider([&] {
        CHECK(block_until([&] { return polls == 1; }));
        sdk::waker mine = slot.take();
        std::atomic<bool> woken{false};
        std::thread waking;
        {
            const with_gil held; // the loop sleeps without it
            const int had = polls;
            waking = std::thread([&] {
                for (int i = 0; i < 1000; ++i) mine.wake_by_ref();
                woken = true;
            });
            CHECK(block_until([&] { return woken.load(); }));
            CHECK(polls == had); // while somebody else has it, no task is polled
        }
        waking.join();
        CHECK(block_until([&] { return polls == 2; })); // all of them are one wake
        over = true;
        mine.wake();
    });
    CHECK(ex.run() == CHM_OK);
    outsider.join();
    CHECK(drops == 1);
}

TEST_CASE("no wake from another thread is lost between the bell and a loop that sleeps") {
    const census before;
    executor_under_test ex;
    sdk::waker_slot slot;
    std::atomic<int> wanted{0}, reached{0}, drops{0};
    constexpr int rounds = 2000;
    ex.spawn(closure_task::counted(drops, [&](chm_waker* w) -> chm_rc {
        slot.set(w);
        reached = wanted.load();
        return reached == rounds ? CHM_READY : CHM_PENDING;
    }));
    std::thread outsider([&] {
        for (int i = 1; i <= rounds; ++i) {
            wanted = i;
            slot.wake();
            while (reached < i) std::this_thread::yield();
        }
    });
    CHECK(ex.run() == CHM_OK);
    outsider.join();
    CHECK(drops == 1);
}

TEST_CASE("each poll is one callback of asyncio") {
    const census before;
    executor_under_test ex;
    std::atomic<int> drops{0};
    int polls = 0;
    constexpr int yields = 100;
    ex.spawn(closure_task::counted(drops, [&](chm_waker* w) -> chm_rc {
        if (polls == 0)
            CHECK(run_python("import asyncio.events\n"
                             "called = 0\n"
                             "_run = asyncio.events.Handle._run\n"
                             "def counted(handle):\n"
                             "    global called\n"
                             "    called += 1\n"
                             "    _run(handle)\n"
                             "asyncio.events.Handle._run = counted\n"));
        if (polls++ < yields) {
            w->vt->wake_by_ref(w);
            return CHM_PENDING;
        }
        CHECK(run_python("asyncio.events.Handle._run = _run\n"
                         "assert called == 100, called\n"));
        return CHM_READY;
    }));
    CHECK(ex.run() == CHM_OK);
    CHECK(polls == yields + 1);
}

TEST_CASE("an exception in a callback is logged with its traceback, and the run goes on") {
    const census before;
    heard_executor ex;
    std::atomic<int> drops{0};
    int polls = 0;
    ex.spawn(closure_task::counted(drops, [&](chm_waker* w) -> chm_rc {
        if (polls++ == 0)
            CHECK(run_python("import asyncio\n"
                             "def fails(): 1 / 0\n"
                             "asyncio.get_running_loop().call_soon(fails)\n"));
        if (polls > 3) return CHM_READY;
        w->vt->wake_by_ref(w);
        return CHM_PENDING;
    }));
    CHECK(ex.run() == CHM_OK);
    CHECK(ex.heard("Exception in callback fails()"));
    CHECK(ex.heard("Traceback"));
    CHECK(ex.heard("in fails"));
    CHECK(ex.heard("ZeroDivisionError: division by zero"));
}

TEST_CASE("a loop that is ended by somebody else is a failed run that says so, and leaves no task") {
    const census before;
    for (const auto& [source, reason] :
         {std::pair{"loop.call_soon(exit)", "SystemExit: 3"}, {"loop.stop()", "stopped by somebody else"}}) {
        heard_executor ex;
        std::atomic<int> drops{0};
        for (int i = 0; i < 3; ++i)
            ex.spawn(closure_task::counted(drops, [&, i](chm_waker*) -> chm_rc {
                if (i == 0)
                    CHECK(run_python((std::string("import asyncio\n"
                                                  "def exit(): raise SystemExit(3)\n"
                                                  "loop = asyncio.get_running_loop()\n") +
                                      source)
                                         .c_str()));
                return CHM_PENDING;
            }));
        CHECK(ex.run() == CHM_E_FAIL);
        CHECK(ex.error().find(reason) != std::string::npos);
        CHECK(drops == 3);
    }
}

TEST_CASE("one instance at a time, and the next works") {
    const census before;
    for (int i = 0; i < 3; ++i) {
        executor_under_test ex;
        CHECK_THROWS_WITH_AS(executor_under_test(), "CPython serves one executor at a time", sdk::error);
        std::atomic<int> drops{0};
        ex.spawn(closure_task::counted(drops, [](chm_waker*) -> chm_rc { return CHM_READY; }));
        CHECK(ex.run() == CHM_OK);
        CHECK(drops == 1);
    }
}

/// Python's start in this process, before main(): doctest has handlers of its own for Ctrl-C and others. The
/// environment is one with which a Python that heeds it does not start.
class first_start {
  public:
    first_start() {
        ::setenv("PYTHONHOME", "/nonexistent", 1);
        ::setenv("PYTHONPATH", "/nonexistent", 1);
        for (const int number : python_would_take) ::signal(number, SIG_DFL);
        executor_under_test();
        for (const int number : python_would_take) {
            struct sigaction now {};
            ::sigaction(number, nullptr, &now);
            if (now.sa_handler != SIG_DFL) taken_ += " " + std::to_string(number);
        }
    }
    std::string taken() const { return taken_; }

  private:
    static constexpr std::array python_would_take{SIGINT, SIGPIPE, SIGXFSZ};
    std::string taken_;
};
const first_start start;

TEST_CASE("signals and the locale stay the host's, and the user's environment outside") {
    const census before;
    executor_under_test ex;
    CHECK(start.taken() == "");
    CHECK(std::string(::setlocale(LC_ALL, nullptr)) == "C");
    CHECK(run_python("import sys\nassert not any('nonexistent' in p for p in sys.path), sys.path"));
}

// --- the reactor ---

sdk::task<void> wait_ns(chm_reactor* reactor, std::uint64_t ns) {
    sdk::timer timer(reactor);
    co_await timer.after(ns);
}

sdk::task<void> ignore_readiness(chm_reactor* reactor, socket_pair& pair, int& turns) {
    sdk::io io(reactor, pair.a.get());
    CHECK(::send(pair.b.get(), "x", 1, 0) == 1);
    std::uint32_t seen = co_await io.ready(CHM_IO_READ);
    const int before = waits;
    co_await wait_ns(reactor, 50'000'000);
    turns = waits - before;
    seen = co_await io.ready(CHM_IO_READ);
    CHECK((seen & CHM_IO_READ) != 0);
    io.recheck(seen, CHM_IO_READ); // although a byte is there: asyncio asks again
    seen = co_await io.ready(CHM_IO_READ);
    CHECK((seen & CHM_IO_READ) != 0);
}

TEST_CASE("readiness that nobody consumes stays, and does not make the loop spin") {
    const census before;
    socket_pair pair;
    executor_under_test ex;
    int turns = 0;
    ex.spawn(ignore_readiness(ex.reactor(), pair, turns));
    CHECK(ex.run() == CHM_OK);
    CHECK(turns > 0);
    CHECK(turns < 20);
}

sdk::task<void> measured_stream(chm_reactor* reactor, int fd, int bytes, int& pieces, int& empty, int& extra) {
    sdk::io io(reactor, fd);
    int before = 0;
    for (std::array<char, 64> buf; bytes > 0;) {
        const std::uint32_t seen = co_await io.ready(CHM_IO_READ);
        if (pieces == 1) before = controls; // the first wait has started the watch
        const ssize_t n = ::recv(fd, buf.data(), buf.size(), 0);
        io.drained(seen, CHM_IO_READ);
        if (n > 0) {
            bytes -= static_cast<int>(n);
            ++pieces;
        } else
            ++empty;
    }
    extra = controls - before;
}

TEST_CASE("a stream in its steady state makes no epoll_ctl, and no poll for a report that is out of date") {
    const census before;
    socket_pair pair;
    executor_under_test ex;
    int pieces = 0, empty = 0, extra = -1;
    constexpr int tokens = 300;
    ex.spawn(measured_stream(ex.reactor(), pair.a.get(), tokens, pieces, empty, extra));
    std::thread server([&] {
        for (int i = 0; i < tokens; ++i) {
            std::this_thread::sleep_for(std::chrono::microseconds(200));
            // A busy machine may keep the reader away until the buffer is full.
            while (::send(pair.b.get(), "x", 1, 0) != 1) std::this_thread::yield();
        }
    });
    CHECK(ex.run() == CHM_OK);
    server.join();
    CHECK(controls > 0); // they are counted at all
    CHECK(extra == 0);
    CHECK(empty <= pieces / 10); // each piece would have one
}

TEST_CASE("the peer's end is told to who waits for nothing, also behind bytes that nobody reads") {
    const census before;
    for (const bool unread : {false, true}) {
        socket_pair pair;
        executor_under_test ex;
        std::atomic<int> drops{0};
        chm_io* io = nullptr;
        chm_reactor* r = ex.reactor();
        std::atomic<bool> waiting{false};
        int polls = 0;
        if (unread) CHECK(::send(pair.b.get(), "x", 1, 0) == 1);
        ex.spawn(closure_task::counted(drops, [&](chm_waker* w) -> chm_rc {
            if (polls++ == 0) REQUIRE(r->vt->io_register(r, pair.a.get(), &io) == CHM_OK);
            const std::uint32_t seen = r->vt->io_poll(r, io, 0, w);
            waiting = true;
            if (seen == 0) return CHM_PENDING;
            CHECK((seen & CHM_IO_HUP) != 0);
            r->vt->io_deregister(r, io);
            return CHM_READY;
        }));
        std::thread peer([&] {
            CHECK(block_until([&] { return waiting.load(); }));
            unread ? static_cast<void>(::shutdown(pair.b.get(), SHUT_WR)) : pair.b.reset();
        });
        CHECK(ex.run() == CHM_OK);
        peer.join();
        CHECK(polls == 2);
    }
}

TEST_CASE("a timer is never early, wherever in a millisecond its deadline lies") { timers_are_never_early(); }

TEST_CASE("a limit that is renewed for each byte is one timer of asyncio's, and an earlier one is heeded") {
    const census before;
    executor_under_test ex;
    std::atomic<int> drops{0};
    chm_timer* timer = nullptr;
    chm_reactor* r = ex.reactor();
    std::uint64_t near = 0;
    ex.spawn(closure_task::counted(drops, [&](chm_waker* w) -> chm_rc {
        if (!timer) {
            REQUIRE(r->vt->timer_create(r, &timer) == CHM_OK);
            const std::uint64_t far = sdk::now_ns() + 3'600'000'000'000U;
            for (std::uint64_t i = 0; i < 10'000; ++i) CHECK(r->vt->timer_poll(r, timer, far + i, w) == CHM_PENDING);
            CHECK(run_python("import asyncio\n"
                             "n = len(asyncio.get_running_loop()._scheduled)\n"
                             "assert n == 1, n\n"));
            near = sdk::now_ns() + 2'000'000;
        }
        if (r->vt->timer_poll(r, timer, near, w) == CHM_PENDING) return CHM_PENDING;
        CHECK(sdk::now_ns() >= near);
        r->vt->timer_destroy(r, timer);
        return CHM_READY;
    }));
    CHECK(ex.run() == CHM_OK);
    CHECK(drops == 1);
}

TEST_CASE("the reactor refuses threads that are not its worker") { reactor_refuses_other_threads(); }

TEST_CASE("an io and a timer that a task has left behind are let go at the end, with warnings") {
    leaks_are_closed_with_a_warning();
}

} // namespace
