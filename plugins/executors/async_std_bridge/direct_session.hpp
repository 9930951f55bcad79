// await = "block" and "wake": the inner session is used right here, with the foreign reactor.
#pragma once

#include <cstdint>
#include <memory>

#include "bridge.hpp"
#include "chimera/sdk/plugin.hpp"
#include "lifeline.hpp"

namespace chimera::async_std_bridge {

/// Used on its task's worker. Every poll is the inner transport's own, with a waker of the mode: the task's, or the
/// worker's thread_waker.
class direct_session final : public sdk::session_base<direct_session> {
  public:
    /// args: the foreign reactor in place. Throws sdk::error as the inner transport's open says.
    direct_session(chm_transport& inner, const chm_session_args& args, const bridge_settings& settings,
                   const std::shared_ptr<lifeline>& line, const chm_timing_ext* timing);
    direct_session(const direct_session&) = delete;
    direct_session& operator=(const direct_session&) = delete;
    ~direct_session() { inner_->vt->close(inner_); }

    chm_exchange* start(const chm_request& request);

  private:
    class exchange;

    chm_session* inner_ = nullptr;
    const chm_executor* const executor_;
    const bridge_settings settings_;
    const chm_timing_ext* const timing_;
    lifeline::listener foreign_;
};

} // namespace chimera::async_std_bridge
