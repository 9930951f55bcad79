// Queues: where cells go when they are spawned or woken, and where a worker finds the next one. And the plugin:
// options, the executor's table, and the entry.
#include "pool.hpp"

#include <algorithm>
#include <iterator>
#include <thread>

#include <chimera/sdk/plugin.hpp>

namespace chimera::thread_pool {

pool::pool(const pool_options& options)
    : options_(options), workers_(new worker[options.workers]), life_(*this, options.workers, "tp-worker") {
    for (std::uint32_t i = 0; i < size(); ++i) workers_[i].index = workers_[i].victim = i;
}

void pool::queue_here(sdk::task_cell& cell, std::uint32_t index) noexcept {
    worker& w = workers_[index];
    unlist(w); // woken by its own turn of the reactor: no other worker need wake it
    if (!options_.steal && cell.worker() != index) return queue(cell);
    push(w, cell);
    // A worker that is about to look at its queue takes one cell itself.
    if (options_.steal && (w.polling || w.ring.size() > 1)) notify_one();
}

void pool::queue(sdk::task_cell& cell) noexcept {
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

void pool::push(worker& w, sdk::task_cell& cell) noexcept {
    if (!options_.steal) return w.local.push(cell);
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
    const auto outcome = life_.poll(cell);
    w.polling = false;
    if (outcome == sdk::task_cell::outcome::again) push(w, cell);
}

bool pool::sees_work(const worker& w) const noexcept {
    if (!options_.steal) return !w.mail.empty();
    if (!injector_.empty()) return true;
    return std::any_of(&workers_[0], &workers_[0] + size(), [](const worker& other) { return other.ring.size() != 0; });
}

void pool::work(std::uint32_t index) noexcept {
    worker& w = workers_[index];
    while (!life_.ended()) {
        if (sdk::task_cell* cell = next(w))
            poll(w, *cell);
        else
            park(w);
    }
    if (w.searching) searching_.fetch_sub(1);
    w.searching = false;
}

void pool::interrupt() noexcept {
    for (std::uint32_t i = 0; i < size(); ++i) workers_[i].parking.unpark(reactor_);
}

// --- the plugin ---

namespace {

constexpr chm_option schema[]{
    sdk::int_option("workers", "0", 0, pool::max_workers,
                    "Threads that poll, the caller of run among them; 0: one per hardware thread, at most 64"),
    sdk::bool_option("steal", "true", "Idle workers take tasks from busy ones; false: a task stays where it was put"),
    sdk::int_option("event_interval", "61", 1, 1'000'000, "Polls between two looks at I/O while a worker is busy"),
};

pool_options parse(const sdk::options& o) {
    auto workers = static_cast<std::uint32_t>(o.integer("workers"));
    if (workers == 0) workers = std::clamp(std::thread::hardware_concurrency(), 1U, pool::max_workers);
    return {workers, o.flag("steal"), static_cast<std::uint32_t>(o.integer("event_interval"))};
}

template <bool Steal>
class executor final : public sdk::executor_base<executor<Steal>, Steal ? 0U : std::uint32_t{CHM_EXECUTOR_PINNED}> {
  public:
    explicit executor(const pool_options& options) : pool_(options) {}

    chm_rc spawn(chm_task* task, const chm_spawn_opts* opts) noexcept { return pool_.life().spawn(task, opts); }
    chm_rc spawn_service(chm_task* task, const chm_spawn_opts* opts) noexcept {
        return pool_.life().spawn(task, opts, true);
    }
    std::uint32_t workers() const noexcept { return pool_.life().workers(); }
    chm_rc worker_here() const noexcept { return pool_.life().worker_here(); }
    chm_rc run(std::uint32_t mode) { return pool_.life().run(mode); }
    void stop() noexcept { pool_.life().stop(); }
    const void* extension(std::string_view id) noexcept {
        if (id == CHM_EXT_REACTOR) return static_cast<chm_reactor*>(&pool_.reactor());
        return id == CHM_EXT_SERVICE ? &sdk::service_extension<executor> : nullptr;
    }

  private:
    pool pool_;
};

const chm_executor_factory factory{
    sizeof(chm_executor_factory), static_cast<std::uint32_t>(std::size(schema)), schema,
    [](const chm_host*, const chm_config* config, chm_executor** out, chm_error* err) noexcept -> chm_rc {
        return sdk::guarded(err, [&]() -> chm_rc {
            const pool_options options = parse(sdk::options(config, schema));
            if (options.steal)
                *out = std::make_unique<executor<true>>(options).release();
            else
                *out = std::make_unique<executor<false>>(options).release();
            return CHM_OK;
        });
    }};

} // namespace

} // namespace chimera::thread_pool

CHIMERA_PLUGIN_ENTRY("thread_pool", "0.1.0",
                     "Thread pool with work stealing and an epoll reactor driven by an idle worker; stands for tokio's "
                     "multi-thread runtime",
                     0, chimera::sdk::single_factory<chimera::thread_pool::factory>);
