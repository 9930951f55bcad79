// Queues: where cells go when they are spawned or woken, and where a worker finds the next one.
#include "pool.hpp"

#include <algorithm>

namespace chimera::thread_pool {

thread_local worker* pool::current_ = nullptr;

pool::pool(const pool_options& options, sdk::epoll_reactor& reactor)
    : options_(options), reactor_(reactor), workers_(new worker[options.workers]) {
    for (std::uint32_t i = 0; i < size(); ++i) {
        workers_[i].owner = this;
        workers_[i].index = workers_[i].victim = i;
    }
}

worker& pool::choose(const chm_spawn_opts* opts) noexcept {
    const std::uint32_t hint = opts && CHM_HAS(opts, worker) ? opts->hint : std::uint32_t{CHM_HINT_ANY};
    if (hint == CHM_HINT_CURRENT)
        if (worker* w = here()) return *w;
    const std::uint32_t i =
        hint == CHM_HINT_WORKER ? opts->worker : next_worker_.fetch_add(1, std::memory_order_relaxed);
    return workers_[i % size()];
}

chm_rc pool::spawn(chm_task* task, const chm_spawn_opts* opts, bool service) noexcept {
    worker& home = choose(opts);
    sdk::task_cell* cell = sdk::task_cell::create(*this, task, home.index, service);
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

bool pool::admit(const sdk::task_cell& cell) noexcept {
    if (!spawns_.enter()) return false;
    if (cell.service() || (live_.fetch_add(1) & over) == 0) return true;
    live_.fetch_sub(1);
    spawns_.leave();
    return false;
}

void pool::stop() noexcept {
    if (!wakes_.enter()) return;
    spawns_.close();
    ending_.exchange(ending::stop); // from here on run may return, and the executor be destroyed
    unpark_all();
    wakes_.leave();
}

void pool::schedule(sdk::task_cell& cell) noexcept {
    if (worker* w = here()) {
        unlist(*w); // woken by its own turn of the reactor: it need not be woken by anybody else
        if (!options_.steal && cell.worker() != w->index) {
            push_from_outside(cell);
            return;
        }
        push_here(*w, cell);
        // A worker that is about to look at its queue takes one cell itself.
        if (options_.steal && (w->polling || w->ring.size() > 1)) notify_one();
    } else if (wakes_.enter()) {
        push_from_outside(cell);
        wakes_.leave();
    } else {
        cell.release();
    }
}

void pool::push_here(worker& w, sdk::task_cell& cell) noexcept {
    if (!options_.steal) {
        w.local.push(cell);
        return;
    }
    while (!w.ring.push(cell)) {
        sdk::task_cell* last = nullptr;
        if (sdk::task_cell* first = w.ring.take_half(last)) {
            cell.next = nullptr;
            last->next = &cell;
            injector_.push(*first, cell, run_queue::capacity / 2 + 1);
            return;
        }
    }
}

void pool::push_from_outside(sdk::task_cell& cell) noexcept {
    if (options_.steal) {
        cell.next = nullptr;
        injector_.push(cell, cell, 1);
        notify_one();
    } else {
        worker& target = workers_[cell.worker()];
        target.mail.push(cell);
        notify_pinned(target);
    }
}

sdk::task_cell* pool::next(worker& w) noexcept {
    if (++w.polls >= options_.event_interval) { // neither I/O nor the injector starves behind tasks that spin
        w.polls = 0;
        look_at_reactor(w);
        if (options_.steal) {
            sdk::cell_list one;
            injector_.pop_into(one, [](std::size_t) { return std::size_t{1}; });
            if (sdk::task_cell* cell = one.pop()) {
                if (w.ring.size() != 0) notify_one(); // the one that this worker was about to take, and does not
                return cell;
            }
        }
    }
    if (!options_.steal) {
        w.mail.pop_into(w.local);
        return w.local.pop();
    }
    if (sdk::task_cell* cell = w.ring.pop()) return cell;
    if (sdk::task_cell* cell = from_injector(w)) return cell;
    return search(w);
}

sdk::task_cell* pool::from_injector(worker& w) noexcept {
    sdk::cell_list batch; // a fair share; the ring is empty and has room for it
    injector_.pop_into(batch,
                       [&](std::size_t n) { return std::min<std::size_t>(n / size() + 1, run_queue::capacity / 2); });
    sdk::task_cell* first = batch.pop();
    if (batch.front() == nullptr) return first;
    while (sdk::task_cell* cell = batch.pop()) w.ring.push(*cell);
    notify_one(); // between the two queues the others could not see them
    return first;
}

sdk::task_cell* pool::search(worker& w) noexcept {
    if (!w.searching) { // more searchers than half of the workers only get in each other's way
        if (2 * searching_.load() >= size()) return nullptr;
        searching_.fetch_add(1);
        w.searching = true;
    }
    for (std::uint32_t i = 1; i <= size(); ++i) {
        worker& other = workers_[(w.victim + i) % size()];
        if (&other == &w) continue;
        if (sdk::task_cell* cell = other.ring.steal_into(w.ring)) {
            w.victim = other.index == 0 ? size() - 1 : other.index - 1; // it may have more
            return cell;
        }
    }
    return from_injector(w);
}

void pool::poll(worker& w, sdk::task_cell& cell) noexcept {
    stop_searching(w);
    keep_watch(w);
    w.polling = true;
    const auto outcome = cell.run();
    w.polling = false;
    if (outcome == sdk::task_cell::outcome::again) {
        push_here(w, cell);
    } else if (outcome == sdk::task_cell::outcome::done) {
        const bool counted = !cell.service();
        workers_[cell.worker()].live.remove(cell);
        if (counted && live_.fetch_sub(1) == 1 && until_idle_) end_if_idle();
    }
}

bool pool::sees_work(const worker& w) const noexcept {
    if (!options_.steal) return !w.mail.empty();
    if (!injector_.empty()) return true;
    return std::any_of(&workers_[0], &workers_[0] + size(), [](const worker& other) { return other.ring.size() != 0; });
}

void pool::end_if_idle() noexcept {
    if (std::size_t none = 0; !live_.compare_exchange_strong(none, over)) return;
    spawns_.close();
    if (ending none = ending::no; ending_.compare_exchange_strong(none, ending::idle)) unpark_all();
}

void pool::begin(bool until_idle) noexcept {
    until_idle_ = until_idle;
    if (until_idle) end_if_idle();
}

void pool::work(std::uint32_t index, shift& now) noexcept {
    worker& w = workers_[index];
    worker* const outer = std::exchange(current_, &w); // run() may have been called by a worker of another pool
    while (ending_.load() == ending::no) {
        if (sdk::task_cell* cell = next(w))
            poll(w, *cell);
        else
            park(w);
    }
    if (w.searching) searching_.fetch_sub(1);
    w.searching = false;
    now.quiet.arrive_and_wait();
    spawns_.wait_until_empty();
    w.live.drop_all();
    current_ = outer;
}

void pool::drop_all() noexcept {
    spawns_.close();
    spawns_.wait_until_empty();
    for (std::uint32_t i = 0; i < size(); ++i) workers_[i].live.drop_all();
}

void pool::shut() noexcept {
    wakes_.close();
    wakes_.wait_until_empty();
    sdk::cell_list rest;
    injector_.pop_into(rest, [](std::size_t n) { return n; });
    for (std::uint32_t i = 0; i < size(); ++i) {
        worker& w = workers_[i];
        w.mail.pop_into(rest);
        while (sdk::task_cell* cell = w.ring.pop()) cell->release();
        while (sdk::task_cell* cell = w.local.pop()) cell->release();
    }
    while (sdk::task_cell* cell = rest.pop()) cell->release();
}

} // namespace chimera::thread_pool
