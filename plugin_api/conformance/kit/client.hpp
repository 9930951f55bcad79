// A transport under test with an executor beneath it, and whole exchanges in one call.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "../scripted_server/scripted_server.hpp"
#include "chimera/sdk/exchange.hpp"
#include "environment.hpp"
#include "watched.hpp"

namespace chimera::conformance {

/// The server of a case, reached as the transport under test is to be reached. An exception of the script is reported.
class case_server : public scripted_server {
  public:
    case_server(environment& env, script s)
        : scripted_server(std::move(s), env.servers(),
                          [&to = env.probes()](const std::string& what) { to.report(what); }) {}
};

// Needs of a case. If the transport or the way to its server does not meet them, the case is skipped with the reason.

/// HTTP/1.1: its framing or its connections are the subject.
inline void needs_http1(const environment& env) {
    if (env.servers().http2) throw skipped("it speaks HTTP/2");
}

/// HTTP/2: its streams are the subject.
inline void needs_http2(const environment& env) {
    if (!env.servers().http2) throw skipped("it does not speak HTTP/2");
}

/// The server resets a connection.
inline void needs_resets(const environment& env) {
    if (env.servers().over == wire::unix_socket && !env.servers().http2) throw skipped("the kit resets no Unix socket");
}

/// URLs with host names or addresses, or plain http, are the subject.
inline void needs_tcp(const environment& env) {
    if (env.servers().over != wire::tcp) throw skipped("it is tried over " + std::string(name_of(env.servers().over)));
}

/// Whether its sessions may share connections.
inline bool shares_connections(environment& env) { return (env.offers().flags & CHM_TRANSPORT_SHARED) != 0; }

/// A request.
struct wanted {
    std::string method = "GET", path = "/";
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

/// A whole response.
struct reply {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers; ///< names as they came
    std::string body;
    std::size_t pieces = 0;

    /// Case-insensitive; "" where it is missing.
    std::string header(std::string_view name) const;
};

class client {
  public:
    /// A transport of the plugin with the options of the request and `extra`, on an executor of its own.
    explicit client(environment&, const option_map& extra = {});
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    ~client();

    executor& on() const noexcept { return *executor_; }
    chm_reactor* reactor() const noexcept { return reactor_; }
    chm_transport* transport() const noexcept { return transport_; }
    /// True when the factory has such an option.
    static bool has_option(const environment&, std::string_view name);

    /// [inside a task] A session; throws sdk::error.
    sdk::session open(const std::string& url) const;
    /// [inside a task] Begins an exchange; throws sdk::error.
    static sdk::exchange start(sdk::session&, const wanted&);
    /// One exchange to its end. Throws sdk::error.
    static sdk::task<reply> fetch(sdk::session&, wanted);
    /// Head and body of an exchange that was started. Throws sdk::error.
    static sdk::task<reply> finish(sdk::exchange);
    /// One exchange that must fail with this code and a message that contains `part`.
    static sdk::task<void> fetch_failing(sdk::session&, wanted, chm_rc code, std::string part);

    /// Runs the coroutine to its end as the only task.
    void run(sdk::task<void>) const;

  private:
    std::optional<descriptor_watch> watch_; // where the executor is the kit's own
    std::unique_ptr<executor> executor_;
    chm_reactor* reactor_ = nullptr;
    chm_transport* transport_ = nullptr;
};

} // namespace chimera::conformance
