// The kit's own executor: one thread, one queue, epoll. Transports are tried on it when no other executor is given.
#pragma once

#include <cstdint>
#include <functional>

#include "chimera/sdk/epoll_reactor.hpp"
#include "chimera/sdk/executor_lifecycle.hpp"
#include "chimera/sdk/plugin.hpp"

namespace chimera::conformance {

class reference_executor final : public sdk::executor_base<reference_executor, CHM_EXECUTOR_PINNED> {
  public:
    static constexpr std::array<chm_option, 0> schema{};

    reference_executor(const chm_host*, const sdk::options&) {}

    /// [before run] Called with each task that is taken; the task that it returns takes its place.
    std::function<chm_task*(chm_task*)> stand_in;
    /// Frees such a task, but not the one inside, after a spawn that was refused.
    std::function<void(chm_task*)> give_up;

    chm_rc spawn(chm_task* task, const chm_spawn_opts* opts) { return take(task, opts, false); }
    chm_rc spawn_service(chm_task* task, const chm_spawn_opts* opts) { return take(task, opts, true); }
    std::uint32_t workers() const noexcept { return life_.workers(); }
    chm_rc worker_here() const noexcept { return life_.worker_here(); }
    chm_rc run(std::uint32_t mode) { return life_.run(mode); }
    void stop() noexcept { life_.stop(); }
    const void* extension(std::string_view id) noexcept {
        if (id == CHM_EXT_REACTOR) return static_cast<chm_reactor*>(&reactor_);
        return id == CHM_EXT_SERVICE ? &sdk::service_extension<reference_executor> : nullptr;
    }

  private:
    friend sdk::executor_lifecycle<reference_executor>;

    chm_rc take(chm_task* task, const chm_spawn_opts* opts, bool service) {
        chm_task* const taken = stand_in ? stand_in(task) : task;
        const chm_rc rc = life_.spawn(taken, opts, service);
        if (rc < 0 && taken != task) give_up(taken);
        return rc;
    }

    void queue(sdk::task_cell& cell) noexcept {
        if (inbox_.push(cell)) interrupt();
    }
    void interrupt() noexcept { reactor_.interrupt(); } // a turn that has not begun yet returns at once
    void queue_here(sdk::task_cell& cell, std::uint32_t) noexcept { runnable_.push(cell); }
    void work(std::uint32_t) noexcept {
        while (!life_.ended()) {
            reactor_.turn(runnable_.front() ? 0 : -1);
            inbox_.pop_into(runnable_);
            for (int polls = 0; polls < 64 && !life_.ended() && runnable_.front(); ++polls) {
                sdk::task_cell& cell = *runnable_.pop();
                if (life_.poll(cell) == sdk::task_cell::outcome::again) runnable_.push(cell);
            }
        }
    }

    sdk::epoll_reactor reactor_;
    sdk::cell_inbox inbox_;
    sdk::cell_list runnable_; // the worker's thread
    sdk::executor_lifecycle<reference_executor> life_{*this, 1};
};

} // namespace chimera::conformance
