// The executor: options, threads, and the entry of the plugin.
#include <pthread.h>

#include <algorithm>
#include <array>
#include <string>
#include <thread>

#include <chimera/sdk/crew.hpp>
#include <chimera/sdk/plugin.hpp>
#include <chimera/sdk/service.hpp>

#include "pool.hpp"

namespace chimera::thread_pool {

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

/// Names the calling thread for as long as it is a worker.
class worker_name {
  public:
    explicit worker_name(std::uint32_t index) {
        pthread_getname_np(pthread_self(), before_.data(), before_.size());
        pthread_setname_np(pthread_self(), ("tp-worker-" + std::to_string(index)).c_str());
    }
    worker_name(const worker_name&) = delete;
    worker_name& operator=(const worker_name&) = delete;
    ~worker_name() { pthread_setname_np(pthread_self(), before_.data()); }

  private:
    std::array<char, 16> before_{};
};

template <bool Steal>
class executor final : public sdk::executor_base<executor<Steal>, Steal ? 0U : std::uint32_t{CHM_EXECUTOR_PINNED}> {
  public:
    explicit executor(const pool_options& options) : pool_(new pool(options, reactor_)) {}
    executor(const executor&) = delete;
    executor& operator=(const executor&) = delete;
    ~executor() {
        pool_->drop_all();
        pool_->shut();
        pool_->release();
    }

    chm_rc spawn(chm_task* task, const chm_spawn_opts* opts) noexcept { return pool_->spawn(task, opts, false); }
    chm_rc spawn_service(chm_task* task, const chm_spawn_opts* opts) noexcept { return pool_->spawn(task, opts, true); }
    std::uint32_t workers() const noexcept { return pool_->size(); }
    chm_rc worker_here() const noexcept {
        const worker* here = pool_->here();
        return here ? static_cast<chm_rc>(here->index) : CHM_E_AFFINITY;
    }
    void stop() noexcept { pool_->stop(); }
    const void* extension(std::string_view id) noexcept {
        if (id == CHM_EXT_REACTOR) return static_cast<chm_reactor*>(&reactor_);
        return id == CHM_EXT_SERVICE ? &sdk::service_extension<executor> : nullptr;
    }

    chm_rc run(std::uint32_t mode) {
        pool::shift now(pool_->size());
        const auto work = [&](std::size_t i) {
            const auto index = static_cast<std::uint32_t>(i);
            const worker_name name(index);
            pool_->work(index, now);
        };
        sdk::crew others(pool_->size() - 1, [&](std::size_t i) { work(i + 1); });
        pool_->begin(mode == CHM_RUN_UNTIL_IDLE);
        others.begin();
        work(0);
        others.join();
        return pool_->stopped() ? CHM_E_CANCELED : CHM_OK;
    }

  private:
    sdk::epoll_reactor reactor_;
    pool* const pool_; // one reference
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
