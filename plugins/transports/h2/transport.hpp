// The transport "h2" and its sessions.
#pragma once

#include <memory>
#include <string_view>

#include "chimera/sdk/plugin.hpp"
#include "core.hpp"
#include "exchange.hpp"

namespace chimera::h2 {

/// One agent's session: one exchange at a time.
class session final : public sdk::session_base<session> {
  public:
    session(std::shared_ptr<core> whole, const core::user& who, stream_socket::base_url url)
        : url_(std::move(url)), exchange_(std::move(whole), who, url_) {}
    /// Throws sdk::error: CHM_E_STATE, CHM_E_INVAL.
    chm_exchange* start(const chm_request& request);

  private:
    const stream_socket::base_url url_;
    exchange exchange_;
};

/// With share = "session" an instance says of itself that its sessions share nothing.
class transport final
    : public sdk::transport_base<transport, std::uint32_t{CHM_TRANSPORT_SHARED} | std::uint32_t{CHM_TRANSPORT_HTTP2}> {
  public:
    static constexpr auto& schema = option_schema;

    transport(const chm_host* host, const sdk::options& given);
    ~transport() { core_->abandon(); }
    /// Throws sdk::error: CHM_E_NOSYS, CHM_E_INVAL, CHM_E_TLS.
    chm_session* open(const chm_session_args& args);
    const void* extension(std::string_view id) noexcept;

  private:
    const std::shared_ptr<core> core_;
};

} // namespace chimera::h2
