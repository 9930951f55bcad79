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
    std::shared_ptr<const plugin> executor, foreign, transport, coordinator; ///< null: the profile names none
};

/// Loads the profile's plugins. Throws plugin_error.
loaded_plugins load_plugins(registry&, const profile&);

/// Watches a running execution and ends it early. Any thread.
class execution_control {
  public:
    /// Ends the execution in progress, and every later one at once.
    void stop();
    bool stopped() const noexcept { return stopped_.load(std::memory_order_acquire); }
    /// Tokens received so far, in all executions.
    std::uint64_t tokens() const noexcept { return tokens_.load(std::memory_order_relaxed); }
    std::atomic<std::uint64_t>& token_counter() noexcept { return tokens_; }
    /// The number of the next execution, from 1. Not thread-safe.
    std::uint64_t count_execution() noexcept { return ++executions_; }

    /// The executor that stop() stops from now on; nullptr when it has ended.
    void attach(chm_executor*);

  private:
    std::mutex mutex_;
    chm_executor* running_ = nullptr; // guarded by mutex_
    std::atomic<bool> stopped_{false};
    std::atomic<std::uint64_t> tokens_{0};
    std::uint64_t executions_ = 0;
};

/// The same for all executions of a profile. Everything referred to outlives the executions.
struct execution_setup {
    const profile& what;
    registry& plugins;
    const loaded_plugins& loaded;
    const server_pool& servers;
    std::string api_key;
    const report_corpus* corpus = nullptr; ///< kind = report: the documents that agents read
    bool log_polls = false;                ///< each agent's record gets a poll_log
    std::span<agent_observer* const> observers{};
    std::shared_ptr<const campaign_provenance> origin{}; ///< goes into each run's record; may be null
};

/// Runs the agents with these numbers and records what happened. The seeds of all requests are drawn from seed_base.
/// An agent that fails is in the record. Throws plugin_error or std::runtime_error when the execution cannot be set up.
execution_record execute(const execution_setup&, std::span<const std::size_t> agents, std::uint64_t seed_base,
                         execution_control&);

} // namespace chimera::host
