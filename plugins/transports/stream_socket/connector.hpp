// From a base URL to an open connection: the name is resolved, then its addresses are tried in order.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base_url.hpp"
#include "chimera/sdk/waker.hpp"
#include "connection.hpp"

namespace chimera::stream_socket {

/// One question to the resolver. Dropped before it is answered, it is forgotten.
class lookup {
  public:
    lookup(std::string host, std::uint16_t port) : host_(std::move(host)), port_(port) {}

    /// [asker's thread] True once there is an answer; otherwise waker will be woken.
    bool poll(chm_waker* waker) noexcept {
        if (answered()) return true;
        waiter_.set(waker);
        return answered();
    }
    /// [asker's thread] Nobody is woken afterwards: the resolver's thread may hold the question for longer than the
    /// asker does.
    void forget() noexcept { waiter_.clear(); }
    /// [asker's thread, after poll returned true] At least one address, in the order in which to try them. Throws
    /// sdk::error(CHM_E_RESOLVE).
    std::vector<address> take();

  private:
    friend class resolver;
    bool answered() const noexcept { return answered_.load(std::memory_order_acquire); }
    void ask_system() noexcept;

    const std::string host_;
    const std::uint16_t port_;
    // Written by the resolver's thread before answered_, read by the asker after it.
    std::vector<address> addresses_;
    std::string failure_;
    std::atomic<bool> answered_{false};
    sdk::waker_slot waiter_;
};

/// Any thread. The thread starts with the first question and is joined by the destructor, which therefore waits for a
/// getaddrinfo in progress.
class resolver {
  public:
    resolver() = default;
    resolver(const resolver&) = delete;
    resolver& operator=(const resolver&) = delete;
    ~resolver();

    /// Throws std::system_error when no thread can be started.
    std::shared_ptr<lookup> ask(const std::string& host, std::uint16_t port);

  private:
    void serve();

    std::mutex mutex_;
    // Guarded by mutex_.
    std::deque<std::weak_ptr<lookup>> questions_;
    bool stop_ = false;
    std::condition_variable changed_;
    std::thread thread_;
};

/// Used on the session's worker. Remembers the addresses of its host until none of them answers.
class connector {
  public:
    /// url and names outlive the connector. timeout_ns: for name and connections together; 0: none.
    connector(const base_url& url, resolver& names, std::uint64_t timeout_ns) noexcept
        : url_(url), names_(names), timeout_ns_(timeout_ns) {}

    /// Starts again.
    void begin() noexcept;
    /// True once `to` is connected. Throws sdk::error: CHM_E_RESOLVE, CHM_E_CONNECT, CHM_E_TIMEOUT, CHM_E_IO.
    bool poll(connection& to, chm_waker* waker);
    /// The deadline of the current step; 0: none.
    std::uint64_t deadline() const noexcept { return deadline_ns_; }
    /// The deadline has passed: goes on to the next address, or throws sdk::error(CHM_E_TIMEOUT).
    void expire(connection& to);
    /// Forgets a question to the resolver, and the waker that waits for its answer.
    void cancel() noexcept {
        if (question_) question_->forget();
        question_.reset();
    }

  private:
    /// Those to try, in their order; none before the name is resolved.
    std::span<const address> addresses() const noexcept {
        if (url_.literal) return {&*url_.literal, 1};
        return resolved_;
    }
    bool resolved(chm_waker* waker);
    bool attempt(connection& to);
    void next_address(const sdk::error& why);

    const base_url& url_;
    resolver& names_;
    const std::uint64_t timeout_ns_;
    std::shared_ptr<lookup> question_;
    std::vector<address> resolved_; // where the URL has a name
    std::size_t next_ = 0;
    std::uint64_t begun_ns_ = 0;
    std::uint64_t deadline_ns_ = 0;
    bool queue_full_ = false; // of a unix socket's listener: deadline_ns_ is the time of the next attempt
};

} // namespace chimera::stream_socket
