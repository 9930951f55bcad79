// The tools of a case: the plugin, its executors and transports, probes, and reports.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "../run.hpp"
#include "../scripted_server/wire.hpp"
#include "chimera/sdk/error.hpp"
#include "chimera/sdk/plugin.hpp"
#include "chimera/sdk/reactor.hpp"
#include "chimera/sdk/task.hpp"
#include "expect.hpp"
#include "plugin_file.hpp"
#include "probe.hpp"
#include "scale.hpp"
#include "watched.hpp"

namespace chimera::conformance {

using option_map = std::map<std::string, std::string>;

/// An executor and its probes. Destroyed with its owner: declare objects that the tasks use before it.
class executor {
  public:
    executor(chm_executor* owned, ledger&);
    executor(const executor&) = delete;
    executor& operator=(const executor&) = delete;
    ~executor() { destroy(); }

    chm_executor* raw() const noexcept { return raw_; }
    bool pinned() const noexcept { return phase_->pinned; }
    /// NULL when it has none. Polls that answer 0 and keep no waker are reported.
    chm_reactor* reactor() noexcept { return watched_ ? &*watched_ : nullptr; }
    /// The same as the plugin gave it, for cases that count nanoseconds.
    chm_reactor* bare_reactor() const noexcept { return sdk::reactor_of(raw_); }

    /// [any-thread] Spawns a probe; throws failure when it is refused.
    probe& spawn(probe::step, const chm_spawn_opts* = nullptr);
    /// [any-thread] The same for a coroutine. A failure that leaves it is reported.
    probe& spawn(sdk::task<void>);
    /// [any-thread] Spawns a probe and returns the result of spawn. The kit drops a refused one.
    chm_rc try_spawn(probe::step);
    /// NULL when it offers no services.
    const chm_service_ext* services() const noexcept { return sdk::service_of(raw_); }
    /// [any-thread] As spawn and try_spawn, for services; there must be services().
    probe& spawn_service(probe::step, const chm_spawn_opts* = nullptr);
    chm_rc try_spawn_service(probe::step);

    chm_rc run(std::uint32_t mode);
    /// The same, but a run may fail without failing the case.
    chm_rc try_run(std::uint32_t mode, sdk::error_buffer&);
    /// Runs until idle; throws failure unless that ends well.
    void run_until_idle();
    /// [any-thread]
    void stop() noexcept;
    /// Before the end of the scope. Idempotent.
    void destroy() noexcept;

  private:
    chm_rc give(probe&, const chm_spawn_opts*, bool service = false);

    chm_executor* raw_;
    ledger& ledger_;
    std::shared_ptr<phase> phase_;
    std::optional<watched_reactor> watched_;
};

class environment;

/// Schemes and flags of a transport.
struct offered {
    bool tcp = false, unix_socket = false,
         tls = false;        ///< "http", "http+unix" and "https": open does not say CHM_E_NOSYS
    std::uint32_t flags = 0; ///< CHM_TRANSPORT_*

    bool has(wire w) const noexcept { return w == wire::tcp ? tcp : w == wire::tls ? tls : unix_socket; }
    /// The first of TCP, a Unix socket and TLS that it has; TCP where it has none.
    wire first() const noexcept {
        return tcp || (!unix_socket && !tls) ? wire::tcp : unix_socket ? wire::unix_socket : wire::tls;
    }

    /// [no task, no executor running] Opens a session for each scheme. Throws failure where no transport can be made.
    static offered asked(environment&);
};

class environment {
  public:
    /// `report` takes every broken rule, from any thread. room: for the servers of transport cases. Loads the plugin.
    environment(const request&, const test_case&, std::function<void(const std::string&)> report,
                const server_room* room = nullptr);

    const request& settings() const noexcept { return request_; }
    const plugin_file& plugin() const noexcept { return plugin_; }
    const chm_host* host() const noexcept { return host_; }
    ledger& probes() noexcept { return ledger_; }
    /// Numbers that depend on the request's seed and on the case, and on nothing else.
    std::mt19937_64 random() const;

    /// An executor of the plugin under test, with the options of the request and `extra`. Throws failure.
    std::unique_ptr<executor> make_executor(const option_map& extra = {});
    /// The same with `workers` workers, where there is an option of that name that takes the number.
    std::unique_ptr<executor> make_executor_of(unsigned workers);

    /// An executor to run a transport or a coordinator on: of the request's executor plugin, or the kit's own. Throws
    /// failure.
    std::unique_ptr<executor> make_executor_below();
    /// Several of them may be alive at a time.
    bool executors_below_at_once() const noexcept { return !below_ || !below_->single_instance(); }
    /// An executor of the request's foreign plugin; NULL when it names none. Throws failure.
    std::unique_ptr<executor> make_foreign();
    /// A transport of the plugin under test, the caller's. Polls of its exchanges that answer 0 and keep no waker are
    /// reported. Throws failure.
    chm_transport* make_transport(const option_map& extra = {});

    /// A coordinator of the plugin under test, the caller's. Throws failure.
    chm_coordinator* make_coordinator(const option_map& extra = {});

    /// A transport of the request's transport plugin, the caller's. Throws failure.
    chm_transport* make_bridged_transport();

    /// The offer of the transport under test; asked once.
    const offered& offers();
    /// How to reach the transport under test: over the request's wire, or else over the first one that it offers.
    served servers() const { return servers_; }
    /// The same, but over this.
    served servers(wire over) const;

    /// Creates, runs and destroys one instance, so that the census counts what a library opens once and keeps;
    /// not for a case about the plugin as such, whose instances may not even run.
    void warm_up();
    /// Reports leaks of the case.
    void check_nothing_left(const struct census& before);

  private:
    std::unique_ptr<executor> create(const chm_executor_factory&, const std::vector<chm_option>& schema,
                                     const option_map&);
    chm_transport* create(const plugin_file&, const option_map&);

    const request& request_;
    const test_case& case_;
    std::function<void(const std::string&)> report_;
    const chm_host* host_;
    plugin_file plugin_;
    std::optional<plugin_file> below_, foreign_, bridged_;
    ledger ledger_;
    const server_room* room_;
    std::optional<offered> offers_;
    served servers_;
};

} // namespace chimera::conformance
