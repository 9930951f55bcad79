// The state that a transport's sessions share: options, resolver, and the connections of each worker.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "chimera/abi/service.h"
#include "chimera/abi/transport.h"
#include "connection.hpp"
#include "settings.hpp"
#include "stream_socket/connector.hpp"
#include "tls.hpp"

namespace chimera::h2 {

/// Any thread. Held by the transport and by the service of every connection, which may outlive the transport.
class core : public std::enable_shared_from_this<core> {
  public:
    core(const chm_host* host, const sdk::options& given) : limits(given), host_(host) {}

    const settings limits;
    stream_socket::resolver names;

    /// Of https connections; made with the first. Throws sdk::error(CHM_E_TLS).
    const tls_context& tls();

    /// Whose connection it is.
    struct user {
        chm_executor* executor;
        const chm_service_ext* services; ///< the executor's
        chm_reactor* reactor;
    };
    /// [a poll of the executor] A connection of the calling worker to the URL's origin with room for a stream, or
    /// the one with the fewest. A new one gets its service. Throws sdk::error: CHM_E_AFFINITY where the caller is not a
    /// worker, and the errors of spawn_service (CHM_E_CANCELED after stop).
    std::shared_ptr<connection> connection_for(const user& who, const stream_socket::base_url& url);

    /// The transport goes: every service is to end.
    void abandon();

  private:
    struct key {
        chm_executor* executor;
        std::uint32_t worker;
        chm_reactor* reactor;
        std::string origin;
        auto operator<=>(const key&) const = default;
    };
    /// Services own the connections.
    struct worker_connections {
        std::vector<std::weak_ptr<connection>> all;
        std::uint32_t most_streams = connection::usual_streams; ///< of a new one, until the server says how many
    };
    std::shared_ptr<connection> pick(worker_connections& of_worker) const;
    void tell_of_waiting(connection& full, const std::string& origin);

    const chm_host* const host_;
    std::once_flag tls_made_;
    std::unique_ptr<tls_context> tls_;
    std::mutex mutex_;
    // Guarded by mutex_.
    std::map<key, worker_connections> connections_;
    std::atomic<bool> waiting_told_{false};
};

} // namespace chimera::h2
