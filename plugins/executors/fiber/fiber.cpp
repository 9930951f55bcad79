// The executor: options, threads, and the entry of the plugin.
#include <pthread.h>

#include <string>

#include <chimera/sdk/crew.hpp>
#include <chimera/sdk/plugin.hpp>
#include <chimera/sdk/service.hpp>

#include "fiber_scheduler.hpp"
#include "shared_reactor.hpp"

namespace chimera::fiber {

namespace {

class executor final : public sdk::executor_base<executor, CHM_EXECUTOR_PINNED> {
  public:
    static constexpr chm_option schema[]{
        sdk::int_option("workers", "1", 1, 256, "Threads, each with its own reactor; a task stays on one"),
        sdk::int_option("stack_size", "131072", 16'384, 64 << 20,
                        "Bytes of stack for each task, rounded up to whole pages; memory is taken as it is touched"),
        sdk::int_option("event_interval", "61", 1, 1'000'000, "Polls between two looks at I/O while a worker is busy"),
    };

    executor(const chm_host*, const sdk::options& options)
        : scheduler_(new fiber_scheduler({static_cast<std::uint32_t>(options.integer("workers")),
                                          static_cast<std::size_t>(options.integer("stack_size")),
                                          static_cast<std::uint32_t>(options.integer("event_interval"))})),
          shared_(*scheduler_) {}
    executor(const executor&) = delete;
    executor& operator=(const executor&) = delete;
    ~executor() {
        scheduler_->drop_all();
        scheduler_->shut();
        scheduler_->release();
    }

    chm_rc spawn(chm_task* task, const chm_spawn_opts* opts) noexcept { return scheduler_->spawn(task, opts, false); }
    chm_rc spawn_service(chm_task* task, const chm_spawn_opts* opts) noexcept {
        return scheduler_->spawn(task, opts, true);
    }
    std::uint32_t workers() const noexcept { return scheduler_->size(); }
    chm_rc worker_here() const noexcept {
        const worker* here = scheduler_->here();
        return here ? static_cast<chm_rc>(here->index()) : CHM_E_AFFINITY;
    }
    void stop() noexcept { scheduler_->stop(); }
    const void* extension(std::string_view id) noexcept {
        if (id == CHM_EXT_SERVICE) return &sdk::service_extension<executor>;
        if (id != CHM_EXT_REACTOR) return nullptr;
        if (scheduler_->size() > 1) return static_cast<chm_reactor*>(&shared_);
        return static_cast<chm_reactor*>(&scheduler_->at(0).reactor);
    }

    /// All workers are threads of their own: Boost.Fiber leaves its mark on a thread, and the caller's is not ours.
    chm_rc run(std::uint32_t mode) {
        sdk::crew crew(scheduler_->size(), [this](std::size_t i) {
            pthread_setname_np(pthread_self(), ("fiber-" + std::to_string(i)).c_str());
            scheduler_->work(static_cast<std::uint32_t>(i));
        });
        scheduler_->begin(mode == CHM_RUN_UNTIL_IDLE);
        crew.begin();
        crew.join();
        return scheduler_->stopped() ? CHM_E_CANCELED : CHM_OK;
    }

  private:
    fiber_scheduler* const scheduler_; // one reference
    shared_reactor shared_;
};

} // namespace

} // namespace chimera::fiber

CHIMERA_EXECUTOR_PLUGIN("fiber", "0.1.0",
                        "A Boost.Fiber fiber for each task on pinned threads that wait in epoll; stands for smol",
                        chimera::fiber::executor);
