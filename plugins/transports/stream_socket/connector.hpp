// From a base URL to an open connection: the name, then its addresses one after the other.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base_url.hpp"
#include "connection.hpp"
#include "resolver.hpp"

namespace chimera::stream_socket {

/// Used on the session's worker. Remembers the addresses of its host until none of them answers.
class connector {
  public:
    /// url and names outlive the connector. timeout_ns: for name and connections together; 0: none.
    connector(const base_url& url, resolver& names, std::uint64_t timeout_ns);

    /// Begins anew.
    void begin() noexcept;
    /// True once `to` is connected. Throws sdk::error: CHM_E_RESOLVE, CHM_E_CONNECT, CHM_E_TIMEOUT, CHM_E_IO.
    bool poll(connection& to, chm_waker* waker);
    /// When poll() will have waited too long for what it waits for; 0: never.
    std::uint64_t deadline() const noexcept { return deadline_ns_; }
    /// The deadline has passed: goes on to the next address, or throws sdk::error(CHM_E_TIMEOUT).
    void expire(connection& to);
    /// Forgets a question to the resolver, and the waker that waits for its answer.
    void cancel() noexcept {
        if (question_) question_->forget();
        question_.reset();
    }

  private:
    bool resolved(chm_waker* waker);
    bool attempt(connection& to);
    void next_address(const sdk::error& why);

    const base_url& url_;
    resolver& names_;
    const std::uint64_t timeout_ns_;
    std::shared_ptr<lookup> question_;
    std::vector<address> addresses_;
    std::size_t next_ = 0;
    std::uint64_t begun_ns_ = 0;
    std::uint64_t deadline_ns_ = 0;
    bool queue_full_ = false; // of a unix socket's listener: the deadline is that of the next attempt
};

} // namespace chimera::stream_socket
