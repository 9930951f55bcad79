#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace chimera::sim {

/// Identifies a runner. As in Ollama, a change of any of these needs another runner.
struct runner_key {
    std::string model;
    std::int64_t num_gpu = -1;
    std::uint32_t num_ctx = 0;
    bool operator==(const runner_key&) const = default;
};

/// The one loaded model and the queue in front of it, first come first served. A request that needs another runner
/// waits until the loaded one is idle, and those behind it wait as well. `Request` has a member `key()`. Pure
/// bookkeeping: the caller says when a load is over.
template <typename Request>
class model_runner {
  public:
    enum class step {
        none, ///< nothing can start now
        load, ///< `subject` must load its model; call finish_load later
        start ///< `subject` has a slot; call release when its reply is over
    };

    /// `slots` 0: no limit.
    explicit model_runner(std::size_t slots) : slots_(slots) {}

    void enqueue(Request& request) { queue_.push_back(&request); }

    /// The next thing to do; call again until it is none.
    step next(Request*& subject) {
        if (loading_ != nullptr || queue_.empty()) {
            return step::none;
        }
        subject = queue_.front();
        if (subject->key() == loaded_) {
            if (slots_ != 0 && active_ >= slots_) {
                return step::none;
            }
            queue_.pop_front();
            ++active_;
            return step::start;
        }
        if (active_ > 0) {
            return step::none;
        }
        loading_ = subject;
        return step::load;
    }

    void finish_load(const runner_key& key) {
        loaded_ = key;
        loading_ = nullptr;
    }

    void release() {
        --active_;
        if (active_ == 0 && std::exchange(unload_when_idle_, false)) {
            loaded_ = {};
        }
    }

    /// Takes a request back that has no slot. True when it was the one loading: the load is given up.
    bool withdraw(Request& request) {
        std::erase(queue_, &request);
        if (loading_ != &request) {
            return false;
        }
        loading_ = nullptr;
        return true;
    }

    /// Forgets the loaded model, if it is at work as soon as it no longer is.
    void unload() {
        unload_when_idle_ = active_ > 0;
        if (active_ == 0) {
            loaded_ = {};
        }
    }

    /// The loaded runner; a default key if none is loaded.
    const runner_key& loaded() const { return loaded_; }

    std::size_t active() const { return active_; }
    std::size_t queued() const { return queue_.size(); }

  private:
    std::size_t slots_;
    std::size_t active_ = 0;
    std::deque<Request*> queue_;
    Request* loading_ = nullptr;
    bool unload_when_idle_ = false;
    runner_key loaded_;
};

/// Numbers requests that are equal and decode at the same time: each has the lowest number that none of the others has,
/// so one that is alone has 0, whatever came before it.
class equal_requests {
  public:
    /// seed: the same for equal requests.
    std::uint32_t enter(std::uint64_t seed) {
        auto& taken = taken_[seed];
        const auto free = std::ranges::find(taken, false);
        const auto number = static_cast<std::uint32_t>(free - taken.begin());
        if (free == taken.end()) taken.push_back(true);
        taken[number] = true;
        return number;
    }
    void leave(std::uint64_t seed, std::uint32_t number) {
        const auto found = taken_.find(seed);
        auto& taken = found->second;
        taken[number] = false;
        while (!taken.empty() && !taken.back()) taken.pop_back();
        if (taken.empty()) taken_.erase(found);
    }

  private:
    std::unordered_map<std::uint64_t, std::vector<bool>> taken_;
};

} // namespace chimera::sim
