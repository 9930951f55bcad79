#include "roster.hpp"

#include "chimera/abi/executor.h"
#include "worker.hpp"

namespace chimera::pinned {

void roster::leave() noexcept {
    std::lock_guard lock(mutex_);
    --alive_;
    end_if_idle();
    if (over()) tell();
}

void roster::begin(std::uint32_t mode) noexcept {
    std::lock_guard lock(mutex_);
    until_idle_ = mode == CHM_RUN_UNTIL_IDLE;
    end_if_idle();
}

void roster::stop() noexcept {
    std::lock_guard lock(mutex_);
    if (!over()) end_.store(end::stopped, std::memory_order_release);
    tell();
}

void roster::end_if_idle() noexcept {
    if (until_idle_ && alive_ == 0 && !over()) end_.store(end::idle, std::memory_order_release);
}

void roster::tell() const noexcept {
    for (worker* w : workers_) w->nudge();
}

} // namespace chimera::pinned
