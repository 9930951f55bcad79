#include "agent/blocking_pool.hpp"

#include <pthread.h>

namespace chimera::host {

blocking_pool::~blocking_pool() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
        jobs_.clear();
    }
    work_.notify_all();
    for (std::thread& t : threads_) t.join();
}

void blocking_pool::post(std::function<void()> job) {
    {
        const std::lock_guard lock(mutex_);
        jobs_.push_back(std::move(job));
        if (idle_ < jobs_.size() && threads_.size() < limit_) threads_.emplace_back([this] { serve(); });
    }
    work_.notify_one();
}

void blocking_pool::serve() {
    pthread_setname_np(pthread_self(), "blocking");
    std::unique_lock lock(mutex_);
    for (;;) {
        ++idle_;
        work_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
        --idle_;
        if (jobs_.empty()) return;
        const std::function<void()> job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        job();
        lock.lock();
    }
}

} // namespace chimera::host
