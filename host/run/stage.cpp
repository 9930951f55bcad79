#include "run/stage.hpp"

#include "protocol/excerpt.hpp"

#include <chimera/abi/bridge.h>
#include <chimera/sdk/reactor.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <stdexcept>
#include <thread>

#include <pthread.h>

namespace chimera::host {

/// The foreign executor, running on a thread of its own until this object is destroyed.
class stage::foreign_runtime {
  public:
    explicit foreign_runtime(executor_ptr executor) : executor_(std::move(executor)) {
        thread_ = std::thread([raw = executor_.get()] {
            pthread_setname_np(pthread_self(), "foreign");
            sdk::error_buffer why;
            const chm_rc rc = raw->vt->run(raw, CHM_RUN_UNTIL_STOP, why.abi());
            if (rc < 0 && rc != CHM_E_CANCELED) spdlog::error("the foreign executor failed to run: {}", why.text());
        });
    }
    foreign_runtime(const foreign_runtime&) = delete;
    foreign_runtime& operator=(const foreign_runtime&) = delete;
    ~foreign_runtime() {
        executor_->vt->stop(executor_.get());
        thread_.join();
    }
    chm_executor* get() const noexcept { return executor_.get(); }

  private:
    executor_ptr executor_;
    std::thread thread_;
};

stage::~stage() = default;

stage::stage(const execution_setup& setup)
    : executor_(registry::create_executor(setup.loaded.executor, setup.what.executor.options)) {
    const profile& p = setup.what;
    if (setup.loaded.coordinator)
        coordinator_ = registry::create_coordinator(setup.loaded.coordinator, p.coordinator->options);
    if (setup.loaded.transport) inner_ = registry::create_transport(setup.loaded.transport, p.transport.options);
    chm_executor* executor = executor_.get();
    used_ = {inner_.get(), executor, sdk::reactor_of(executor)};
    if (setup.loaded.foreign)
        foreign_ =
            std::make_unique<foreign_runtime>(registry::create_executor(setup.loaded.foreign, p.foreign->options));

    const auto* bridge = static_cast<const chm_bridge_ext*>(executor->vt->get_extension(executor, CHM_EXT_BRIDGE));
    if (bridge != nullptr && inner_) {
        if (!foreign_)
            throw std::runtime_error(
                fmt::format("executor '{}' has no reactor of its own: its bridge needs a [foreign] executor "
                            "with one, for example: [foreign] plugin = \"thread_pool\"",
                            p.executor.plugin));
        sdk::error_buffer why;
        chm_transport* wrapped = nullptr;
        const chm_rc rc = bridge->wrap(executor, foreign_->get(), inner_.get(), &wrapped, why.abi());
        if (rc < 0)
            throw plugin_error(fmt::format("executor '{}' cannot bridge to foreign executor '{}': {}",
                                           p.executor.plugin, p.foreign->plugin, on_one_line(why.text())),
                               rc);
        bridge_.reset(wrapped);
        used_.transport = wrapped;
    } else if (foreign_) { // a transport bound to a foreign reactor, without a bridge
        used_.reactor = sdk::reactor_of(foreign_->get());
        if (used_.reactor != nullptr && !(used_.reactor->vt->flags & CHM_REACTOR_ANY_THREAD))
            throw std::runtime_error(
                fmt::format("the reactor of foreign executor '{}' belongs to its own workers: it can be used "
                            "from executor '{}' only through a bridge",
                            p.foreign->plugin, p.executor.plugin));
    }
    if (bridge == nullptr && used_.reactor == nullptr && inner_)
        throw std::runtime_error(fmt::format(
            "executor '{}' has neither a reactor nor a bridge, and [foreign] names none: the transport has nothing to "
            "wait on",
            p.executor.plugin));
}

} // namespace chimera::host
