// The smallest host of a transport: a reactor turned on the test's own thread, and one task's waker.
#pragma once

#include <atomic>
#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "chimera/abi/timing.h"
#include "chimera/abi/transport.h"
#include "chimera/sdk/epoll_reactor.hpp"
#include "conformance/kit/census.hpp"
#include "conformance/kit/counting_waker.hpp"
#include "conformance/scripted_server/scripted_server.hpp"

namespace chimera::socket::test {

using conformance::full_listener;
using conformance::listen_on_path;
using conformance::one_by_one_server;
using conformance::peer;
using conformance::percent_encoded;
using conformance::scripted_server;
using conformance::server_room;

inline void pause_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }
/// A loopback port on which nobody listens.
inline unsigned closed_port() { return scripted_server({}, {.listens = false}).port(); }

/// Lets the script of one server go on step by step.
class steps {
  public:
    void go_on() noexcept {
        ++allowed_;
        allowed_.notify_one();
    }
    /// [the script's thread] Returns once for each go_on().
    void wait() noexcept { allowed_.wait(taken_++); }

  private:
    std::atomic<int> allowed_{0};
    int taken_ = 0; // the script's thread
};

/// A waker that leaves a mark and ends the reactor's turn.
class mark_waker {
  public:
    explicit mark_waker(sdk::epoll_reactor& reactor)
        : counted_(sdk::waker(), [this, &reactor] {
              woken_ = true;
              reactor.interrupt();
          }) {}
    chm_waker* get() const noexcept { return counted_.get(); }
    /// Whether it was woken since the last call.
    bool take() noexcept { return woken_.exchange(false); }
    /// References held by others.
    int references() const noexcept { return counted_.references(); }

  private:
    std::atomic<bool> woken_{false};
    conformance::counting_waker counted_;
};

using option_list = std::initializer_list<std::pair<std::string_view, std::string_view>>;

struct request {
    std::string_view method = "GET";
    std::string_view path = "/";
    std::vector<std::pair<std::string_view, std::string_view>> headers = {};
    std::string_view body = {};
};

/// What became of one exchange.
struct outcome {
    chm_rc rc = CHM_OK; ///< CHM_END when it was complete
    std::string error;  ///< the message where it failed
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::vector<std::string> pieces;
    chm_exchange_timing timing{};
    std::string body() const;
    std::string header(std::string_view name) const;
};

/// A transport with one session. Its destructor proves that no descriptor and no thread was left behind.
class client {
  public:
    explicit client(option_list options = {});
    ~client();
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    /// Opens the session. Returns the code, and the message in error.
    chm_rc open(std::string_view url, bool with_reactor = true);
    /// A whole exchange in a session that is open.
    outcome fetch(const request& what = {});
    /// open() and fetch().
    outcome fetch_from(std::string_view url, const request& what = {});

    // The steps, for tests that stop in between.
    chm_exchange* start(const request& what = {});
    chm_rc poll_head(chm_exchange* x, chm_head& head);
    chm_rc poll_chunk(chm_exchange* x, chm_str& view);
    chm_rc wait_head(chm_exchange* x, chm_head& head);
    chm_rc wait_chunk(chm_exchange* x, chm_str& view);
    /// Turns the reactor until the waker is woken.
    void wait();
    /// Turns the reactor for so long.
    void turn_for(int ms);
    void close_session();

    /// The waker of all polls from now on is another one, as after a task's move to another worker.
    void change_waker() noexcept { waker_.swap(other_waker_); }
    mark_waker& waker() noexcept { return *waker_; }
    mark_waker& other_waker() noexcept { return *other_waker_; }
    chm_transport* transport() noexcept { return transport_; }
    const std::string& error() const noexcept { return error_; }

  private:
    chm_error* listen() noexcept;
    chm_rc heard(chm_rc rc);

    conformance::census held_;
    char text_[1024] = {};
    chm_error listener_{};
    std::string error_;
    std::unique_ptr<sdk::epoll_reactor> reactor_;
    std::unique_ptr<mark_waker> waker_, other_waker_;
    chm_transport* transport_ = nullptr;
    chm_session* session_ = nullptr;
};

} // namespace chimera::socket::test
