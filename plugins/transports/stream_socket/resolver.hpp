// Host names to addresses, on a thread of the transport's own: getaddrinfo blocks.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "address.hpp"
#include "chimera/sdk/waker.hpp"

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

} // namespace chimera::stream_socket
