// A waker of the kit's own, given to a reactor or a transport to see what it does with it.
#pragma once

#include <atomic>
#include <functional>

#include "chimera/sdk/task.hpp"
#include "chimera/sdk/waker.hpp"

namespace chimera::conformance {

/// Counts references and wakes, and passes a wake on to a task. Must outlive every reference to it: check references()
/// before it goes. Any thread.
class counting_waker final : public chm_waker {
  public:
    /// Passes wakes on to `to`; empty: they are only counted. on_wake: called first inside each wake; throws nothing.
    explicit counting_waker(sdk::waker to, std::function<void()> on_wake = {}) noexcept
        : chm_waker{&vtable}, to_(std::move(to)), on_wake_(std::move(on_wake)) {}
    counting_waker(const counting_waker&) = delete;
    counting_waker& operator=(const counting_waker&) = delete;

    /// References given away and not given back.
    int references() const noexcept { return references_.load(); }
    unsigned wakes() const noexcept { return wakes_.load(); }

  private:
    sdk::waker to_;
    const std::function<void()> on_wake_;
    std::atomic<int> references_{0};
    std::atomic<unsigned> wakes_{0};

    static counting_waker& self(chm_waker* w) noexcept { return *static_cast<counting_waker*>(w); }
    void wake_once() noexcept {
        if (on_wake_) on_wake_();
        ++wakes_;
        to_.wake_by_ref();
    }
    static constexpr chm_waker_vt vtable{
        [](chm_waker* w) noexcept { return ++self(w).references_, w; },
        [](chm_waker* w) noexcept {
            self(w).wake_once();
            --self(w).references_; // last: whoever sees no reference may free the waker
        },
        [](chm_waker* w) noexcept { self(w).wake_once(); },
        [](chm_waker* w) noexcept { --self(w).references_; },
    };
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
