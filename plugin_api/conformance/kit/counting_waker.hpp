// A waker that counts. A case or a test lends it to a reactor or a transport to see how it is used.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "chimera/sdk/task.hpp"
#include "chimera/sdk/waker.hpp"

namespace chimera::conformance {

/// Counts references and wakes, and passes a wake on to a task. One that is referred to when it goes is left alive,
/// deaf, for the plugin that kept it: the case has failed or is about to, and must not crash instead. Any thread.
class counting_waker {
  public:
    /// Passes wakes on to `to`; empty: they are only counted. on_wake, on_clone: called first inside each wake or
    /// clone; throw nothing.
    explicit counting_waker(sdk::waker to, std::function<void()> on_wake = {}, std::function<void()> on_clone = {})
        : counted_(std::make_unique<counted>(std::move(to), std::move(on_wake), std::move(on_clone))) {}
    ~counting_waker() {
        if (references() == 0) return;
        counted_->deaf = true;
        static_cast<void>(counted_.release());
    }
    counting_waker(const counting_waker&) = delete;
    counting_waker& operator=(const counting_waker&) = delete;

    /// To be lent to the plugin.
    chm_waker* get() const noexcept { return counted_.get(); }
    /// References given away and not given back.
    int references() const noexcept { return counted_->references.load(); }
    unsigned wakes() const noexcept { return counted_->wakes.load(); }

  private:
    struct counted final : chm_waker {
        counted(sdk::waker passed_to, std::function<void()> called, std::function<void()> called_too) noexcept
            : chm_waker{&vtable}, to(std::move(passed_to)), on_wake(std::move(called)),
              on_clone(std::move(called_too)) {}
        sdk::waker to;
        const std::function<void()> on_wake, on_clone;
        std::atomic<bool> deaf{false};
        std::atomic<int> references{0};
        std::atomic<unsigned> wakes{0};

        void wake_once() noexcept {
            if (deaf) return;
            if (on_wake) on_wake();
            ++wakes;
            to.wake_by_ref();
        }
    };
    static counted& self(chm_waker* w) noexcept { return *static_cast<counted*>(w); }
    static constexpr chm_waker_vt vtable{
        [](chm_waker* w) noexcept {
            if (self(w).on_clone) self(w).on_clone();
            ++self(w).references;
            return w;
        },
        [](chm_waker* w) noexcept {
            self(w).wake_once();
            --self(w).references; // last: whoever sees no reference may free the waker
        },
        [](chm_waker* w) noexcept { self(w).wake_once(); },
        [](chm_waker* w) noexcept { --self(w).references; },
    };
    std::unique_ptr<counted> counted_;
};

/// Awaits nothing: a clone of the waker of the task that is being polled.
class current_waker final : public sdk::awaitable {
  public:
    current_waker() noexcept = default;
    bool poll(chm_waker* w) override {
        mine_ = sdk::waker::clone(w);
        return true;
    }
    sdk::waker await_resume() noexcept { return std::move(mine_); }

  private:
    sdk::waker mine_;
};

} // namespace chimera::conformance
