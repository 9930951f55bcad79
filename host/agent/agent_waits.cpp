#include "agent/agent_waits.hpp"

#include <chimera/sdk/clock.hpp>

#include <chrono>
#include <vector>

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

think_timer::~think_timer() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
}

bool think_timer::pause::poll(chm_waker* waker) {
    if (sdk::now_ns() >= deadline_ns_) return true;
    timer_.wait_for({deadline_ns_, this}, sdk::waker::clone(waker));
    return false;
}

void think_timer::wait_for(key who, sdk::waker waker) {
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        if (!thread_.joinable()) thread_ = std::thread([this] { serve(); });
        std::swap(waiting_[who], waker);
        first = waiting_.begin()->first == who;
    }
    if (first) changed_.notify_one();
} // an earlier poll's waker goes here, without the lock

void think_timer::forget(key who) noexcept {
    decltype(waiting_)::node_type left; // goes without the lock
    const std::lock_guard lock(mutex_);
    left = waiting_.extract(who);
}

void think_timer::serve() {
    pthread_setname_np(pthread_self(), "think");
    std::vector<sdk::waker> due;
    std::unique_lock lock(mutex_);
    while (!closing_) {
        const std::uint64_t now = sdk::now_ns();
        while (!waiting_.empty() && waiting_.begin()->first.first <= now)
            due.push_back(std::move(waiting_.extract(waiting_.begin()).mapped()));
        if (!due.empty()) {
            lock.unlock();
            for (sdk::waker& w : due) w.wake();
            due.clear();
            lock.lock();
        } else if (waiting_.empty()) {
            changed_.wait(lock);
        } else { // steady_clock is CLOCK_MONOTONIC
            changed_.wait_until(
                lock, std::chrono::steady_clock::time_point(std::chrono::nanoseconds(waiting_.begin()->first.first)));
        }
    }
}

} // namespace chimera::host
