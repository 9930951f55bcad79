// Coroutines on the contract: task<T>, and the chm_task made of one.
//
// Safe on GCC 12: no symmetric transfer (it is not a tail call at -O0, -O1 or under sanitizers, and recursion would eat
// the stack). Awaiting a child only names it as the next to be resumed; the root's poll is the one loop that resumes
// anything.
//
// Two rules for authors, because GCC 12 destroys aggregate and closure temporaries inside a co_await expression twice:
// give what you await a name or a constructor, and never write `co_await (condition ? f() : g())`.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "../abi/task.h"

namespace chimera::sdk {

class pollable;

/// Shared during a poll by a root task and everything that it awaits.
struct poll_context {
    chm_waker* waker = nullptr;             ///< borrowed from the poll in progress
    pollable* pending = nullptr;            ///< what the innermost coroutine waits for
    std::coroutine_handle<> next = nullptr; ///< the coroutine to be resumed next
};

/// Something that a coroutine can wait for by polling. Lives in the waiting coroutine's frame.
class pollable {
  public:
    /// [inside a poll of the root] True when the wait is over; otherwise a clone of `waker` will be woken. A wait that
    /// fails is over: keep the reason and throw it from await_resume. An exception from here reaches the coroutine at
    /// the first poll only; later it fails the whole task.
    virtual bool poll(chm_waker* waker) = 0;

  protected:
    ~pollable() = default;
};

/// Base of awaitables: Self needs `bool poll(chm_waker*) override` and `T await_resume()`. Ready at the first poll, it
/// suspends nothing: a token that is already there costs no trip through the root.
class awaitable : public pollable {
  public:
    /// Every wait begins with a poll.
    static constexpr bool await_ready() noexcept { return false; }
    /// Polls; a wait that is not over becomes what the root polls.
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> h) {
        poll_context& context = *h.promise().context;
        if (poll(context.waker)) return false;
        context.pending = this;
        context.next = h;
        return true;
    }

  protected:
    ~awaitable() = default;
};

template <class T = void>
class task;

namespace detail {

struct promise_base {
    poll_context* context = nullptr;
    std::coroutine_handle<> continuation = nullptr;
    std::exception_ptr exception;

    static std::suspend_always initial_suspend() noexcept { return {}; }
    struct final_awaiter {
        static constexpr bool await_ready() noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> h) const noexcept {
            h.promise().context->next = h.promise().continuation;
        }
        void await_resume() const noexcept {}
    };
    static final_awaiter final_suspend() noexcept { return {}; }
    void unhandled_exception() noexcept { exception = std::current_exception(); }
};

template <class T>
struct promise : promise_base {
    std::optional<T> value;
    task<T> get_return_object() noexcept;
    template <class U>
    void return_value(U&& v) {
        value.emplace(std::forward<U>(v));
    }
    T result() {
        if (exception) std::rethrow_exception(exception);
        return std::move(*value);
    }
};

template <>
struct promise<void> : promise_base {
    task<void> get_return_object() noexcept;
    void return_void() noexcept {}
    void result() const {
        if (exception) std::rethrow_exception(exception);
    }
};

} // namespace detail

/// A lazy coroutine: begins when it is awaited, or when its root is first polled. Owns its frame. Not copyable.
template <class T>
class [[nodiscard]] task {
  public:
    /// For the compiler.
    using promise_type = detail::promise<T>;

    /// For the compiler: takes over a frame.
    explicit task(std::coroutine_handle<promise_type> h) noexcept : handle_(h) {}
    /// Moves: the other one has no frame afterwards.
    task(task&& o) noexcept : handle_(std::exchange(o.handle_, nullptr)) {}
    /// Swaps the two.
    task& operator=(task&& o) noexcept {
        std::swap(handle_, o.handle_);
        return *this;
    }
    ~task() {
        if (handle_) handle_.destroy();
    }

    /// False: it has not begun.
    bool await_ready() const noexcept { return false; }
    /// Makes this coroutine the next to be resumed, and the parent the one after it.
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> parent) noexcept {
        promise_type& mine = handle_.promise();
        mine.continuation = parent;
        mine.context = parent.promise().context;
        mine.context->next = handle_;
    }
    /// The coroutine's result; throws the exception that it threw.
    T await_resume() { return handle_.promise().result(); }

    /// For roots only.
    std::coroutine_handle<promise_type> handle() const noexcept { return handle_; }

  private:
    std::coroutine_handle<promise_type> handle_;
};

template <class T>
task<T> detail::promise<T>::get_return_object() noexcept {
    return task<T>(std::coroutine_handle<promise<T>>::from_promise(*this));
}
inline task<void> detail::promise<void>::get_return_object() noexcept {
    return task<void>(std::coroutine_handle<promise<void>>::from_promise(*this));
}

/// A coroutine as a chm_task. An exception that leaves the coroutine ends the task as failed (CHM_E_FAIL).
class root_task final : public chm_task {
  public:
    /// The caller's until a spawn succeeds; given back with vt->drop.
    static chm_task* create(task<void> body) { return new root_task(std::move(body)); }

  private:
    explicit root_task(task<void> body) noexcept : chm_task{&vtable}, body_(std::move(body)) {
        body_.handle().promise().context = &context_;
        context_.next = body_.handle();
    }
    root_task(const root_task&) = delete;
    root_task& operator=(const root_task&) = delete;

    chm_rc resume_until_pending(chm_waker* waker) {
        context_.waker = waker;
        if (context_.pending) {
            if (!context_.pending->poll(waker)) return CHM_PENDING;
            context_.pending = nullptr;
        }
        do {
            std::exchange(context_.next, nullptr).resume();
            if (context_.pending) return CHM_PENDING;
        } while (context_.next);
        return body_.handle().promise().exception ? CHM_E_FAIL : CHM_READY;
    }
    static chm_rc poll_thunk(chm_task* t, chm_waker* waker) noexcept {
        try {
            return static_cast<root_task*>(t)->resume_until_pending(waker);
        } catch (...) { // a pollable's poll threw outside of its coroutine
            return CHM_E_FAIL;
        }
    }
    static void drop_thunk(chm_task* t) noexcept { delete static_cast<root_task*>(t); }
    static constexpr chm_task_vt vtable{poll_thunk, drop_thunk};

    poll_context context_;
    task<void> body_;
};

/// Lets others run: pending once, woken at once.
class yield_now final : public awaitable {
  public:
    yield_now() noexcept = default;
    bool poll(chm_waker* waker) override {
        if (std::exchange(yielded_, true)) return true;
        waker->vt->wake_by_ref(waker);
        return false;
    }
    /// Returns nothing.
    void await_resume() const noexcept {}

  private:
    bool yielded_ = false;
};

} // namespace chimera::sdk
