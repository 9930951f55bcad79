#include "bridge.hpp"

#include <memory>
#include <string>

#include "channel_session.hpp"
#include "chimera/sdk/plugin.hpp"
#include "chimera/sdk/reactor.hpp"
#include "direct_session.hpp"
#include "far_end.hpp"
#include "lifeline.hpp"

namespace chimera::async_std_bridge {

namespace {

const chm_timing_ext* timing_of(chm_transport& t) noexcept {
    return static_cast<const chm_timing_ext*>(t.vt->get_extension(&t, CHM_EXT_TIMING));
}

/// "block" and "wake".
class direct_bridge final : public sdk::transport_base<direct_bridge> {
  public:
    direct_bridge(chm_executor& self, chm_executor& foreign, chm_reactor& reactor, chm_transport& inner,
                  const bridge_settings& settings)
        : self_(self), reactor_(reactor), inner_(inner), settings_(settings), timing_(timing_of(inner)),
          line_(lifeline::tie(foreign)) {}
    direct_bridge(const direct_bridge&) = delete;
    direct_bridge& operator=(const direct_bridge&) = delete;
    ~direct_bridge() { line_->untie(); }

    chm_session* open(const chm_session_args& args) {
        chm_session_args mine = args;
        mine.executor = &self_;
        mine.reactor = &reactor_;
        return new direct_session(inner_, mine, settings_, line_, timing_);
    }
    const void* extension(std::string_view id) const noexcept {
        return timing_ && id == CHM_EXT_TIMING ? &bridged_exchange::timing_extension : nullptr;
    }

  private:
    chm_executor& self_;
    chm_reactor& reactor_;
    chm_transport& inner_;
    const bridge_settings settings_;
    const chm_timing_ext* const timing_;
    const std::shared_ptr<lifeline> line_;
};

/// "channel".
class channel_bridge final : public sdk::transport_base<channel_bridge> {
  public:
    channel_bridge(chm_executor& foreign, chm_reactor& reactor, chm_transport& inner, const bridge_settings& settings)
        : settings_(settings), side_{&foreign,
                                     &reactor,
                                     &inner,
                                     timing_of(inner),
                                     settings.channel_capacity,
                                     std::make_shared<session_count>()} {}
    channel_bridge(const channel_bridge&) = delete;
    channel_bridge& operator=(const channel_bridge&) = delete;
    /// The sessions here are closed; those on the foreign executor, which were told, are waited for: once this returns,
    /// the inner transport may be destroyed.
    ~channel_bridge() { side_.open_sessions->wait_for_none(); }

    chm_session* open(const chm_session_args& args) {
        auto link = std::make_shared<channel>(settings_.channel_capacity);
        auto session = std::make_unique<channel_session>(link, settings_.yield_every);
        spawn_far_end(side_, std::string(sdk::view(args.base_url)), link);
        return session.release();
    }
    const void* extension(std::string_view id) const noexcept {
        return side_.timing && id == CHM_EXT_TIMING ? &bridged_exchange::timing_extension : nullptr;
    }

  private:
    const bridge_settings settings_;
    const far_side side_;
};

} // namespace

chm_transport* make_bridge(chm_executor& self, chm_executor& foreign, chm_transport& inner,
                           const bridge_settings& settings) {
    chm_reactor* reactor = sdk::reactor_of(&foreign);
    if (!reactor) throw sdk::error(CHM_E_NOSYS, "the foreign executor has no reactor");
    if (settings.await == await_mode::channel) return new channel_bridge(foreign, *reactor, inner, settings);
    if (!(reactor->vt->flags & CHM_REACTOR_ANY_THREAD))
        throw sdk::error(CHM_E_AFFINITY, "the foreign executor's reactor works on its own threads only: use await = "
                                         "\"channel\", or another foreign executor");
    return new direct_bridge(self, foreign, *reactor, inner, settings);
}

} // namespace chimera::async_std_bridge
