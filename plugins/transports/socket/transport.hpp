// The transport "socket" and its sessions.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "chimera/sdk/plugin.hpp"
#include "exchange.hpp"
#include "stream_socket/base_url.hpp"
#include "stream_socket/connector.hpp"

namespace chimera::socket {

/// One agent's session: one connection, one exchange at a time. The transport outlives it.
class session final : public sdk::session_base<session> {
  public:
    /// All arguments outlive the session.
    session(const stream_socket::base_url& url, const settings& limits, stream_socket::resolver& names,
            chm_reactor* reactor)
        : url_(url), exchange_(url, limits, names, reactor) {}
    /// Throws sdk::error: CHM_E_STATE, CHM_E_INVAL.
    chm_exchange* start(const chm_request& request);

  private:
    const stream_socket::base_url& url_;
    exchange exchange_;
};

/// Sessions share the options, the resolver's thread and the URLs, nothing else.
class transport final : public sdk::transport_base<transport> {
  public:
    static constexpr auto& schema = option_schema;

    transport(const chm_host*, const sdk::options& given) : settings_(given) {}
    /// Throws sdk::error: CHM_E_NOSYS, CHM_E_INVAL.
    chm_session* open(const chm_session_args& args);
    const void* extension(std::string_view id) noexcept;

  private:
    const stream_socket::base_url& parsed(std::string_view url);

    const settings settings_;
    stream_socket::resolver names_;
    // Thousands of agents have a few servers: each URL is kept once.
    std::mutex mutex_;
    std::map<std::string, stream_socket::base_url, std::less<>> urls_; // guarded by mutex_; none is ever removed
};

} // namespace chimera::socket
