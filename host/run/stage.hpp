// Where agents run: an executor, a transport, a coordinator, and what connects them.
#pragma once

#include "agent/llm_client.hpp"
#include "run/execution.hpp"

#include <memory>

namespace chimera::host {

/// A fresh executor, transport and coordinator of the profile, as far as it names them, with the foreign executor and
/// the bridge where it asks for them. The destructor ends them in the order of a clean shutdown: bridge, foreign
/// executor (with the sessions that a bridge keeps there), transport, executor.
class stage {
  public:
    /// Throws plugin_error or std::runtime_error, which says what to change.
    explicit stage(const execution_setup&);
    ~stage();
    stage(const stage&) = delete;
    stage& operator=(const stage&) = delete;

    chm_executor* executor() const noexcept { return executor_.get(); }
    /// Null: the profile names none.
    chm_coordinator* coordinator() const noexcept { return coordinator_.get(); }
    /// As the agents use it. Without a transport if kind = coordination.
    const llm_transport& transport() const noexcept { return used_; }

  private:
    class foreign_runtime;
    struct bridge_destroy {
        void operator()(chm_transport* t) const { t->vt->destroy(t); }
    };
    // Destroyed from the last to the first.
    // The coordinator's endpoints end with the executor's tasks.
    coordinator_ptr coordinator_;
    executor_ptr executor_;
    transport_ptr inner_;
    std::unique_ptr<foreign_runtime> foreign_;
    std::unique_ptr<chm_transport, bridge_destroy> bridge_;
    llm_transport used_;
};

} // namespace chimera::host
