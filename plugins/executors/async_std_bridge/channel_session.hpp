// await = "channel": the session as the task here sees it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "bridge.hpp"
#include "channel.hpp"
#include "chimera/sdk/plugin.hpp"

namespace chimera::async_std_bridge {

/// Near end of a channel. Used on its task's worker.
class channel_session final : public sdk::session_base<channel_session> {
  public:
    channel_session(std::shared_ptr<channel> link, std::uint32_t yield_every)
        : link_(std::move(link)), yield_every_(yield_every) {}
    channel_session(const channel_session&) = delete;
    channel_session& operator=(const channel_session&) = delete;
    ~channel_session() { link_->close(); }

    chm_exchange* start(const chm_request& request);

  private:
    class exchange;

    const std::shared_ptr<channel> link_;
    const std::uint32_t yield_every_;
};

} // namespace chimera::async_std_bridge
