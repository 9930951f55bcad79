// An asyncio event loop, as C++ calls it.
#pragma once

#include "interpreter.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>

namespace chimera::python_asyncio {

/// What `asyncio.new_event_loop()` makes: Python's own selector loop, from its standard library. An exception that
/// leaves a callback is logged, and the loop goes on.
///
/// All functions but here() are called under the GIL, by one thread at a time. Failures are logged.
class event_loop {
  public:
    /// [without or with the GIL, the interpreter is started] Throws sdk::error.
    explicit event_loop(const chm_host*);
    event_loop(const event_loop&) = delete;
    event_loop& operator=(const event_loop&) = delete;
    /// [without or with the GIL] Closes it. No callback is called any more.
    ~event_loop();

    /// [any-thread] The calling thread has settled on this loop.
    bool here() const noexcept { return home_.load(std::memory_order_relaxed) == std::this_thread::get_id(); }
    /// The calling thread is where callbacks are called from now on.
    void settle() noexcept { home_ = std::this_thread::get_id(); }
    /// No thread is.
    void leave() noexcept { home_ = std::thread::id(); }

    /// Calls callbacks until stop(). Throws sdk::error for SystemExit and KeyboardInterrupt, which end the loop.
    void run_forever();
    /// [in a callback] Ends run_forever when the callbacks that are ready now have been called.
    void stop() noexcept;

    /// Calls `what` in the next turn. False: out of memory.
    bool call_soon(const ref& what) noexcept;
    /// Calls `what` when CLOCK_MONOTONIC has reached about this. The handle, for cancel(); nothing: out of memory.
    ref call_at(std::uint64_t deadline_ns, const ref& what) noexcept;
    /// The handle's callback is not called, neither now nor later.
    void cancel(const ref& handle) noexcept;

    /// Calls `what` in each turn in which fd can be read (written). One for each direction of a descriptor.
    bool add_reader(int fd, const ref& what) noexcept { return watch(add_reader_, fd, what); }
    bool add_writer(int fd, const ref& what) noexcept { return watch(add_writer_, fd, what); }
    /// `what` is not called any more, not even for what was seen in this turn.
    void remove_reader(int fd) noexcept { unwatch(remove_reader_, fd); }
    void remove_writer(int fd) noexcept { unwatch(remove_writer_, fd); }

  private:
    static PyObject* on_exception(PyObject* self, PyObject* const* args, Py_ssize_t n) noexcept;
    static PyMethodDef exception_handler;
    bool watch(const ref& method, int fd, const ref& what) noexcept;
    void unwatch(const ref& method, int fd) noexcept;
    /// The method's answer; nothing, and the error is logged.
    ref call(const ref& method, const char* what_fails, PyObject* a = nullptr, PyObject* b = nullptr) noexcept;

    const chm_host* const host_;
    std::atomic<std::thread::id> home_{};
    ref loop_, context_;
    // Names of methods, interned.
    ref call_soon_, call_at_, cancel_, stop_, add_reader_, add_writer_, remove_reader_, remove_writer_;
    ref with_context_; // ("context",)
};

} // namespace chimera::python_asyncio
