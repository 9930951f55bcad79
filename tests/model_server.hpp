// A model server that answers as a test says, on a loopback port.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "conformance/scripted_server/scripted_server.hpp"

namespace chimera::test {

/// A request as it came.
struct asked : conformance::wire_request {
    int number = 0; ///< of all requests that this server got, from 0
    nlohmann::json json() const { return nlohmann::json::parse(body); }
};

/// The server's side of one exchange. close() ends the connection after it.
using reply = conformance::peer;

/// Serves each connection on a thread of its own, one request after the other.
class model_server {
  public:
    using script = std::function<void(const asked&, reply&)>;
    /// `about` answers each GET: the host asks what the server is. Without it the answer is 404. GETs have the number 0
    /// and do not count as requests.
    explicit model_server(script s, script about = {}) : script_(std::move(s)), about_(std::move(about)) {}

    std::string url() const { return server_.url(); }
    int requests() const { return requests_; }
    int connections() const { return static_cast<int>(server_.connections()); }

  private:
    void answer(asked request, reply& r) {
        if (!request.line.starts_with("GET ")) {
            request.number = requests_++;
            script_(request, r);
        } else if (about_) {
            about_(request, r);
        } else {
            r.whole("404 Not Found", "{}");
        }
    }

    const script script_, about_;
    std::atomic<int> requests_{0};
    conformance::scripted_server server_{[this](reply& r) {
        while (auto request = r.request()) answer({std::move(*request), 0}, r);
    }};
};

} // namespace chimera::test
