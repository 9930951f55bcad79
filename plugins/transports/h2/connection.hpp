// One HTTP/2 connection: socket, TLS, frames and the streams of its exchanges.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chimera/sdk/error.hpp"
#include "chimera/sdk/waker.hpp"
#include "multiplexer.hpp"
#include "settings.hpp"
#include "stream.hpp"
#include "stream_socket/base_url.hpp"
#include "stream_socket/connection.hpp"
#include "stream_socket/connector.hpp"
#include "stream_socket/exchange_clocks.hpp"
#include "tls.hpp"

namespace chimera::h2 {

/// Has one driver, which connects, receives and closes: a service task, or the exchange of the one session that owns
/// the connection. Exchanges put their streams in and send at once, without waiting for the driver.
///
/// Frames and streams are guarded by a lock where exchanges and driver may be on different threads; where the executor
/// pins tasks all of them are on one thread, and there is none. Nobody is woken, and no reactor called, under the lock.
class connection {
  public:
    /// limits, names and tls (of an https URL) outlive it. reactor: until shut(). locked: driver and exchanges may be
    /// on different threads. assumed_streams: the stream limit until the server sends its own.
    connection(const settings& limits, stream_socket::resolver& names, const tls_context* tls,
               const stream_socket::base_url& url, chm_reactor* reactor, bool locked,
               std::uint32_t assumed_streams = usual_streams);
    static constexpr std::uint32_t usual_streams = 100;
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    // --- exchanges ---
    /// New streams may be added. A stream that is added nevertheless fails, and may be sent over another connection.
    bool open();
    /// How many streams there are, and how many the server allows.
    struct load {
        std::size_t streams;
        std::uint32_t most;
        bool full() const noexcept { return streams >= most; }
    };
    load load_now();
    /// Adds a stream and sends as much as possible. used: the connection existed and has had streams before.
    /// connected_ns: when it was established; 0: not yet.
    struct submitted {
        bool used;
        std::uint64_t connected_ns;
    };
    submitted submit(stream& s);
    /// The exchange is done with its stream, which is not touched any more.
    void cancel(stream& s) noexcept;
    /// Calls f(frames) under the lock; f may read and change its stream. Then sends the frames that resulted.
    template <class F>
    void look(F&& f) {
        bool call = false;
        std::vector<sdk::waker> woken;
        locked(woken, [&] {
            f(frames_);
            if (!frames_.wants_to_send()) return;
            flush();
            call = needs_driver();
        });
        if (call) driver_.wake();
    }
    std::uint64_t connected_ns();
    /// Wakes the driver, if it is a task of its own.
    void wake_driver() noexcept { driver_.wake(); }

    // --- driver ---
    enum class progress { pending, made, over };
    /// Does a bounded piece of work. pending: waker will be woken. over: the connection is closed, its streams know.
    progress drive(chm_waker* waker);
    /// [service] As drive(), until there is nothing to do; wakes itself for more.
    progress serve(chm_waker* waker);
    /// Reads the socket, whatever the reactor says.
    void catch_up() noexcept;
    /// Before a time without polls: reads the socket once more; afterwards no waker is woken.
    void rest() noexcept;
    /// Closes. Streams that are still there fail with this.
    void shut(chm_rc code, std::string_view why) noexcept;
    /// [any-thread] The transport goes: the driver is to close.
    void abandon();

  private:
    enum class phase { connecting, handshaking, open, over };
    class optional_lock {
      public:
        explicit optional_lock(std::optional<std::mutex>& m) : mutex_(m ? &*m : nullptr) {
            if (mutex_) mutex_->lock();
        }
        optional_lock(const optional_lock&) = delete;
        optional_lock& operator=(const optional_lock&) = delete;
        ~optional_lock() {
            if (mutex_) mutex_->unlock();
        }

      private:
        std::mutex* const mutex_;
    };

    bool connect(chm_waker* waker);
    progress transfer(chm_waker* waker);
    bool receive(std::uint32_t seen);
    void take(std::string_view bytes, std::uint64_t stamp_ns, std::uint64_t now_ns);
    void flush();
    template <class Work>
    void or_shut(Work&& work) noexcept;
    bool needs_driver() const noexcept;
    [[noreturn]] void refuse(int why) const;
    [[noreturn]] static void closed_by_server(const std::string& said);

    /// Runs f() under the lock, then wakes whom it made ready. scratch: of the caller, to be used again.
    template <class F>
    void locked(std::vector<sdk::waker>& scratch, F&& f) {
        {
            const optional_lock lock(mutex_);
            f();
            if (!frames_.woken().empty()) scratch.swap(frames_.woken());
        }
        for (sdk::waker& w : scratch) w.wake();
        scratch.clear();
    }

    const settings& settings_;
    const stream_socket::base_url url_;
    const tls_context* const tls_context_;
    chm_reactor* const reactor_;

    // The driver's.
    stream_socket::connector connector_;
    stream_socket::connection socket_; // send() also by exchanges, under the lock, while phase_ is open
    std::optional<stream_socket::deadline_alarm> alarm_;
    stream_socket::arrival_clock arrivals_;
    std::vector<sdk::waker> waking_;
    sdk::waker_slot driver_;
    std::atomic<bool> abandoned_{false}; // by any thread

    std::optional<std::mutex> mutex_;
    // Guarded by mutex_.
    phase phase_ = phase::connecting;
    chm_rc never_open_ = CHM_OK; // why it was over before it was open
    std::string why_never_open_;
    multiplexer frames_;
    std::optional<tls_channel> tls_;
    std::string out_;          // bytes to send
    std::size_t out_sent_ = 0; // of it
    std::string plain_;        // bytes to encrypt
    bool out_blocked_ = false; // the kernel takes no more
    int send_error_ = 0;       // errno; the server may have said why
    std::uint64_t served_ = 0; // streams so far
};

} // namespace chimera::h2
