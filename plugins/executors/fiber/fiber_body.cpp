// Everything that touches Boost.Fiber: the scheduling algorithm of a worker and the body of a task's fiber.
//
// This file is compiled without sanitizers. A fiber suspends here only, between two polls, and the rest of the way is
// in libboost_fiber, which is not instrumented either: so no instrumented function is ever left on one stack and
// returned from on another, and ThreadSanitizer's and AddressSanitizer's accounts stay balanced without a fiber
// interface. In turn this file must not touch data that other threads touch: the functions of `worker` do that.
#include <boost/fiber/context.hpp>
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/operations.hpp>
#include <boost/fiber/scheduler.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "worker.hpp"

namespace chimera::fiber {

namespace {

using boost::fibers::context;

/// Decides which fiber is next. Tasks wait in the worker's queue of cells; Boost's own contexts (the dispatcher, which
/// is ready whenever it does not run, and the thread's main context) in ready_.
///
/// A task's fiber only passes on to the next one that exists. All else is done when the dispatcher asks: new fibers are
/// made, the inbox is emptied, the reactor is looked at, and the stacks of finished fibers come back, because the
/// dispatcher has a stack large enough and Boost allows it there.
class algorithm final : public boost::fibers::algo::algorithm {
  public:
    explicit algorithm(worker& w) noexcept : worker_(w), main_(context::active()) {}
    /// On the thread's stack, which the dispatcher has gone back to without asking.
    ~algorithm() override { announce_switch(dispatcher_fake_, main_fake_, nullptr, 0); }

    void awakened(context* ctx) noexcept override {
        if (ctx->is_context(boost::fibers::type::worker_context))
            created_ = ctx;
        else
            ctx->ready_link(ready_);
    }

    context* pick_next() noexcept override {
        context* const self = context::active();
        fiber_stack* const left = std::exchange(entered_, nullptr);
        const bool dispatching = self->is_context(boost::fibers::type::dispatcher_context);
        context* const chosen = dispatching ? dispatch() : pass_on(self);
        if (!chosen || chosen == self) return chosen;
        announce_switch(left            ? left->fake_stack
                        : self == main_ ? main_fake_
                                        : dispatcher_fake_,
                        entered_          ? entered_->fake_stack
                        : chosen == main_ ? main_fake_
                                          : dispatcher_fake_,
                        entered_ ? entered_->bottom : nullptr, entered_ ? entered_->size : 0);
        return chosen;
    }

    bool has_ready_fibers() const noexcept override { return !ready_.empty() || worker_.front(); }

    void suspend_until(const std::chrono::steady_clock::time_point& until) noexcept override {
        using namespace std::chrono;
        int timeout_ms = worker_.front() ? 1 : -1; // there is one only where its fiber could not be made: try again
        if (until != steady_clock::time_point::max()) {
            const auto left = ceil<milliseconds>(until - steady_clock::now()).count();
            timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 10'000));
        }
        worker_.wait(timeout_ms);
    }

    void notify() noexcept override { worker_.interrupt(); } // [any-thread]

    /// [main context] Lets the fibers run until the run has ended, then ends them.
    void run() noexcept {
        while (!closing_ || fibers_) main_->suspend();
    }

  private:
    /// Called on a task's fiber, or on the main context. There is always the dispatcher to pass on to.
    context* pass_on(context* self) noexcept {
        if (++picks_ < worker_.event_interval() && !worker_.ended())
            if (sdk::task_cell* cell = worker_.front())
                if (auto* stack = static_cast<fiber_stack*>(cell->context); stack && stack->context != self) {
                    worker_.pop();
                    return enter(*stack);
                }
        return next_ready();
    }

    context* dispatch() noexcept {
        if (worker_.ended()) {
            closing_ = true;
            return fibers_ ? enter(*fibers_) : main_;
        }
        const bool due = picks_ >= worker_.event_interval();
        if (due) picks_ = 0;
        worker_.collect(due);
        if (sdk::task_cell* cell = worker_.front()) {
            worker_.pop();
            if (cell->context || create(*cell)) return enter(*static_cast<fiber_stack*>(cell->context));
            worker_.push_back(*cell); // no memory: others first
        }
        return next_ready();
    }

    context* enter(fiber_stack& stack) noexcept {
        entered_ = &stack;
        return static_cast<context*>(stack.context);
    }

    context* next_ready() noexcept {
        if (ready_.empty()) return nullptr;
        context* const ctx = &ready_.front();
        ready_.pop_front();
        return ctx;
    }

    /// Gives Boost a stack of the worker's.
    struct stack_allocator {
        worker* owner;
        fiber_stack* stack;
        boost::context::stack_context allocate() const noexcept {
            boost::context::stack_context s;
            s.size = stack->size;
            s.sp = stack;
            return s;
        }
        void deallocate(boost::context::stack_context& s) const noexcept {
            owner->stacks.put(*static_cast<fiber_stack*>(s.sp));
        }
    };

    /// False when there is no memory for a stack.
    bool create(sdk::task_cell& cell) noexcept {
        fiber_stack* const stack = worker_.stacks.take();
        if (!stack) return false;
        stack->cell = &cell;
        stack->fake_stack = nullptr;
        boost::fibers::fiber(boost::fibers::launch::post, std::allocator_arg, stack_allocator{&worker_, stack},
                             [this, stack] { body(*stack); })
            .detach();
        stack->context = created_;
        stack->prev = nullptr;
        stack->next = std::exchange(fibers_, stack);
        if (stack->next) stack->next->prev = stack;
        cell.context = stack;
        return true;
    }

    void body(fiber_stack& stack) noexcept {
        while (worker_.poll(*stack.cell)) {
            context::active()->suspend();
            if (closing_) { // entered without a wake; a task that is left gets a new fiber, should there be another run
                stack.cell->context = nullptr;
                break;
            }
        }
        (stack.prev ? stack.prev->next : fibers_) = stack.next;
        if (stack.next) stack.next->prev = stack.prev;
    }

    worker& worker_;
    context* const main_;
    boost::fibers::scheduler::ready_queue_type ready_;
    context* created_ = nullptr;     // the latest argument of awakened()
    fiber_stack* fibers_ = nullptr;  // of all tasks that have one
    fiber_stack* entered_ = nullptr; // the stack that runs, unless the dispatcher or the main context does
    void* main_fake_ = nullptr;      // see announce_switch
    void* dispatcher_fake_ = nullptr;
    std::uint32_t picks_ = 0; // since the last look at the reactor
    bool closing_ = false;    // the run has ended: fibers finish without another poll
};

} // namespace

void run_fibers(worker& w) {
    const boost::intrusive_ptr<algorithm> algo(new algorithm(w));
    context::active()->get_scheduler()->set_algo(algo);
    algo->run();
}

} // namespace chimera::fiber
