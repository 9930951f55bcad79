// A model server that says whatever a test wants it to, on a loopback port.
#pragma once

#include <nlohmann/json.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace chimera::test {

/// A request as it came.
struct asked {
    std::string line; ///< "POST /v1/chat/completions HTTP/1.1"
    std::string head; ///< the header lines, as sent
    std::string body;
    int number = 0; ///< of all requests that this server got, from 0
    nlohmann::json json() const { return nlohmann::json::parse(body); }
};

/// The server's side of one exchange. Writes to a client that has gone do nothing.
class reply {
  public:
    explicit reply(int fd) : fd_(fd) {}

    /// Bytes as they are.
    void raw(std::string_view bytes);
    /// The head of a chunked response; each of `more` is a header line.
    void begin(std::string_view type, const std::vector<std::string>& more = {}, std::string_view status = "200 OK");
    void chunk(std::string_view bytes);
    void end() { raw("0\r\n\r\n"); }
    /// A whole response with its length.
    void whole(std::string_view status, std::string_view body, std::string_view type = "application/json",
               const std::vector<std::string>& more = {});
    /// Ends the connection; nothing is read from it any more.
    void close() { closed_ = true; }
    /// Waits; less where the client goes.
    void pause(int ms);
    bool client_has_gone();
    bool closed() const { return closed_; }

  private:
    int fd_;
    bool closed_ = false;
};

/// Serves each connection on a thread of its own, one request after the other, until it is destroyed.
class model_server {
  public:
    using script = std::function<void(const asked&, reply&)>;
    /// `about` answers each GET: the host asks what the server is. Without it the answer is 404. GETs have the number 0
    /// and do not count as requests.
    explicit model_server(script, script about = {});
    ~model_server();
    model_server(const model_server&) = delete;
    model_server& operator=(const model_server&) = delete;

    std::string url() const;
    int requests() const { return requests_; }
    int connections() const { return connections_; }

  private:
    void accept_all();
    void talk(int fd);

    script script_, about_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<int> requests_{0}, connections_{0};
    std::mutex mutex_;
    std::vector<int> open_;            // guarded by mutex_
    std::vector<std::thread> talking_; // guarded by mutex_
    std::thread accepting_;
};

} // namespace chimera::test
