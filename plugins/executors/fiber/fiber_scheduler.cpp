#include "fiber_scheduler.hpp"

#include <utility>

namespace chimera::fiber {

thread_local worker* fiber_scheduler::current_ = nullptr;

fiber_scheduler::fiber_scheduler(const fiber_options& options) : options_(options) {
    for (std::uint32_t i = 0; i < options.workers; ++i)
        workers_.push_back(std::make_unique<worker>(*this, i, options.stack_size));
}

worker& fiber_scheduler::choose(const chm_spawn_opts* opts) noexcept {
    const std::uint32_t hint = opts && CHM_HAS(opts, worker) ? opts->hint : std::uint32_t{CHM_HINT_ANY};
    if (hint == CHM_HINT_CURRENT)
        if (worker* w = here()) return *w;
    const std::uint32_t i =
        hint == CHM_HINT_WORKER ? opts->worker : next_worker_.fetch_add(1, std::memory_order_relaxed);
    return at(i % size());
}

chm_rc fiber_scheduler::spawn(chm_task* task, const chm_spawn_opts* opts, bool service) noexcept {
    worker& home = choose(opts);
    sdk::task_cell* cell = sdk::task_cell::create(*this, task, home.index(), service);
    if (!cell) return CHM_E_NOMEM;
    if (!admit(*cell)) { // without having touched the task
        cell->release();
        cell->release();
        return CHM_E_CANCELED;
    }
    home.live.add(*cell);
    spawns_.leave();
    schedule(*cell);
    return CHM_OK;
}

bool fiber_scheduler::admit(const sdk::task_cell& cell) noexcept {
    if (!spawns_.enter()) return false;
    if (cell.service() || (live_.fetch_add(1) & over) == 0) return true;
    live_.fetch_sub(1);
    spawns_.leave();
    return false;
}

void fiber_scheduler::schedule(sdk::task_cell& cell) noexcept {
    if (worker* w = here(); w && w->index() == cell.worker()) {
        w->push(cell);
    } else if (wakes_.enter()) {
        at(cell.worker()).deliver(cell);
        wakes_.leave();
    } else {
        cell.release();
    }
}

void fiber_scheduler::stop() noexcept {
    if (!wakes_.enter()) return;
    spawns_.close();
    ending_.exchange(ending::stop); // from here on run may return, and the executor be destroyed
    interrupt_all();
    wakes_.leave();
}

void fiber_scheduler::interrupt_all() noexcept {
    for (const auto& w : workers_) w->interrupt();
}

void fiber_scheduler::retired() noexcept {
    if (live_.fetch_sub(1) == 1 && until_idle_) end_if_idle();
}

void fiber_scheduler::end_if_idle() noexcept {
    if (std::size_t none = 0; !live_.compare_exchange_strong(none, over)) return;
    spawns_.close();
    if (ending none = ending::no; ending_.compare_exchange_strong(none, ending::idle)) interrupt_all();
}

void fiber_scheduler::begin(bool until_idle) noexcept {
    until_idle_ = until_idle;
    if (until_idle) end_if_idle();
}

void fiber_scheduler::work(std::uint32_t index) {
    worker& w = at(index);
    current_ = &w;
    run_fibers(w);
    spawns_.wait_until_empty();
    w.live.drop_all();
    current_ = nullptr;
}

void fiber_scheduler::drop_all() noexcept {
    spawns_.close();
    spawns_.wait_until_empty();
    for (const auto& w : workers_) w->live.drop_all();
}

void fiber_scheduler::shut() noexcept {
    wakes_.close();
    wakes_.wait_until_empty();
    for (const auto& w : workers_) w->release_queued();
    workers_.clear();
}

} // namespace chimera::fiber
