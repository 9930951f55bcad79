// One execution: a set of agents on a fresh executor, from spawn to the end of the last one.
#pragma once

#include "backend/server_pool.hpp"
#include "measure/agent_observer.hpp"
#include "measure/timeline.hpp"
#include "profile/profile.hpp"
#include "registry/registry.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>

namespace chimera::host {

class report_corpus;

/// The plugins that a profile names, loaded once for all executions.
struct loaded_plugins {
    std::shared_ptr<const plugin> executor, foreign, transport; ///< foreign may be null
};

/// Loads what the profile names. Throws plugin_error.
loaded_plugins load_plugins(registry&, const profile&);

/// What an execution tells while it goes on, and how it is ended early. Any thread.
class execution_control {
  public:
    /// Ends the execution in progress, and every later one at once.
    void stop();
    bool stopped() const noexcept { return stopped_.load(std::memory_order_acquire); }
    /// Tokens received so far, in all executions.
    std::uint64_t tokens() const noexcept { return tokens_.load(std::memory_order_relaxed); }
    std::atomic<std::uint64_t>& token_counter() noexcept { return tokens_; }

    /// Makes an executor the one that stop() reaches; nullptr when it has ended.
    void attach(chm_executor*);

  private:
    std::mutex mutex_;
    chm_executor* running_ = nullptr; // guarded by mutex_
    std::atomic<bool> stopped_{false};
    std::atomic<std::uint64_t> tokens_{0};
};

/// What is the same for all executions of a profile. Everything referred to outlives the executions.
struct execution_setup {
    const profile& what;
    registry& plugins;
    const loaded_plugins& loaded;
    const server_pool& servers;
    std::string api_key;
    const report_corpus* corpus = nullptr; ///< kind = report: what is ingested
    bool log_polls = false;                ///< each agent's record gets a poll_log
    std::span<agent_observer* const> observers{};
};

/// Runs the agents with these numbers, all of them asked with seeds drawn from seed_base, and records what happened.
/// Agents that fail are in the record; throws plugin_error or std::runtime_error when the execution could not be set
/// up.
execution_record execute(const execution_setup&, std::span<const std::size_t> agents, std::uint64_t seed_base,
                         execution_control&);

} // namespace chimera::host
