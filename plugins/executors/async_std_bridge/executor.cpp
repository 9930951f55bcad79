#include "executor.hpp"

#include <pthread.h>

#include <cstdio>
#include <exception>
#include <latch>
#include <memory>
#include <string>
#include <system_error>
#include <thread>

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
        const auto workers = static_cast<std::size_t>(options.integer("workers"));
        thread_wakers_.reserve(workers);
        while (thread_wakers_.size() < workers) thread_wakers_.push_back(new thread_waker(this));
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

chm_rc executor::spawn(chm_task* task, const chm_spawn_opts*) {
    sdk::task_cell* cell = sdk::task_cell::create(*queue_, task);
    if (!cell) return CHM_E_NOMEM;
    if (queue_->admit(*cell)) return CHM_OK;
    cell->release(); // the queue's and the live list's references: the task itself stays the caller's
    cell->release();
    return CHM_E_CANCELED;
}

/// The caller only waits: all workers have threads of their own, known by their names.
chm_rc executor::run(std::uint32_t mode) {
    std::vector<std::thread> threads;
    std::latch all_started(1);
    working_ = thread_wakers_.size();
    std::exception_ptr failure;
    try {
        threads.reserve(thread_wakers_.size()); // a thread that has started is always in the list, to be joined
        for (std::size_t i = 0; i < thread_wakers_.size(); ++i)
            threads.emplace_back([this, i, &all_started] {
                all_started.wait();
                work(i);
            });
        queue_->begin(mode);
    } catch (const std::system_error& e) {
        failure =
            std::make_exception_ptr(sdk::error(CHM_E_FAIL, std::string("cannot start a worker thread: ") + e.what()));
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        stop(); // those that have started drop the tasks and end
        working_ -= thread_wakers_.size() - threads.size();
    }
    all_started.count_down();
    for (std::thread& t : threads) t.join();
    if (failure) std::rethrow_exception(failure);
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

const void* executor::extension(std::string_view id) noexcept {
    return id == CHM_EXT_BRIDGE ? &bridge_extension : nullptr;
}

} // namespace chimera::async_std_bridge

CHIMERA_EXECUTOR_PLUGIN(
    "async_std_bridge", "0.1.0",
    "Threads without a reactor, I/O through a bridge to a foreign executor; stands for async-std on tokio",
    chimera::async_std_bridge::executor);
