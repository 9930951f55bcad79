#include "executor.hpp"

#include <pthread.h>

#include <cstdio>

#include "chimera/sdk/crew.hpp"
#include "chimera/sdk/service.hpp"

namespace chimera::async_std_bridge {

namespace {

const chm_bridge_ext bridge_extension{sizeof(chm_bridge_ext), 0,
                                      [](chm_executor* self, chm_executor* foreign, chm_transport* inner,
                                         chm_transport** out, chm_error* err) noexcept -> chm_rc {
                                          return sdk::guarded(err, [&]() -> chm_rc {
                                              *out = make_bridge(*self, *foreign, *inner,
                                                                 static_cast<executor*>(self)->bridging());
                                              return CHM_OK;
                                          });
                                      }};

} // namespace

executor::executor(const chm_host*, const sdk::options& options)
    : bridging_{options.choice("await") == "block"  ? await_mode::block
                : options.choice("await") == "wake" ? await_mode::wake
                                                    : await_mode::channel,
                static_cast<std::uint32_t>(options.integer("yield_every")),
                static_cast<std::size_t>(options.integer("channel_capacity"))},
      queue_(new run_queue) {
    try {
        const auto size = static_cast<std::size_t>(options.integer("workers"));
        thread_wakers_.reserve(size);
        while (thread_wakers_.size() < size) thread_wakers_.push_back(new thread_waker(this, workers()));
    } catch (...) {
        release_all();
        throw;
    }
}

executor::~executor() {
    stop(); // a task that is dropped here cannot spawn another
    queue_->drop_all();
    release_all();
}

void executor::release_all() noexcept {
    for (thread_waker* p : thread_wakers_) p->release();
    queue_->release(); // gone with the last waker
}

chm_rc executor::take(chm_task* task, bool service) {
    sdk::task_cell* cell = sdk::task_cell::create(*queue_, task, 0, service);
    if (!cell) return CHM_E_NOMEM;
    if (queue_->admit(*cell)) return CHM_OK;
    cell->release(); // the queue's and the live list's references: the task itself stays the caller's
    cell->release();
    return CHM_E_CANCELED;
}

/// The caller only waits: all workers have threads of their own, known by their names.
chm_rc executor::run(std::uint32_t mode) {
    working_ = thread_wakers_.size();
    sdk::crew crew(thread_wakers_.size(), [this](std::size_t i) { work(i); });
    queue_->begin(mode);
    crew.begin();
    crew.join();
    return queue_->stopped() ? CHM_E_CANCELED : CHM_OK;
}

void executor::stop() noexcept {
    queue_->stop([this] {
        for (thread_waker* p : thread_wakers_) p->stop();
    });
}

void executor::work(std::size_t index) noexcept {
    std::array<char, 16> name{}; // the kernel's limit
    static_cast<void>(std::snprintf(name.data(), name.size(), "async_std-%zu", index));
    pthread_setname_np(pthread_self(), name.data());
    thread_wakers_[index]->settle();
    while (sdk::task_cell* cell = queue_->next()) {
        switch (cell->run()) {
        case sdk::task_cell::outcome::idle:
            break;
        case sdk::task_cell::outcome::again:
            queue_->schedule(*cell);
            break;
        case sdk::task_cell::outcome::done:
            queue_->leave(*cell);
            break;
        }
    }
    if (working_.fetch_sub(1) == 1) queue_->drop_all(); // the last one: nothing is being polled any more
}

chm_rc executor::worker_here() const noexcept {
    const thread_waker* here = thread_waker::current(this);
    return here ? static_cast<chm_rc>(here->worker()) : CHM_E_AFFINITY;
}

const void* executor::extension(std::string_view id) noexcept {
    if (id == CHM_EXT_BRIDGE) return &bridge_extension;
    return id == CHM_EXT_SERVICE && bridging_.await != await_mode::block ? &sdk::service_extension<executor> : nullptr;
}

} // namespace chimera::async_std_bridge

CHIMERA_EXECUTOR_PLUGIN(
    "async_std_bridge", "0.1.0",
    "Threads without a reactor, I/O through a bridge to a foreign executor; stands for async-std on tokio",
    chimera::async_std_bridge::executor);
