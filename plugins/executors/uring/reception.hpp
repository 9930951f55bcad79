// "chimera.reactor.recv/1": a socket that the kernel empties into a worker's buffers.
#pragma once

#include <cstdint>
#include <vector>

#include "chimera/abi/recv.h"
#include "worker.hpp"

namespace chimera::uring {

/// One multishot receive. When about `read_ahead` bytes of memory wait for a slow reader, it pauses until everything is
/// read.
class reception final : public entry, public operation {
  public:
    /// [worker's thread] flags: CHM_RECV_*.
    reception(worker& at, int fd, std::uint32_t flags) noexcept
        : entry(at), fd_(fd), stamps_((flags & CHM_RECV_STAMPS) != 0) {}

    /// [once] Receives, and watches for the peer's end.
    void start() noexcept;
    /// [not in flight] Asks the kernel to receive.
    void begin() noexcept;
    /// As chm_recv_ops.poll.
    chm_rc poll(chm_waker* waker, char* to, std::size_t capacity, chm_received& out) noexcept;
    void move_out() noexcept override;

    reception* next_starving = nullptr; // the worker's

  private:
    static constexpr std::size_t read_ahead = 64 * 1024;

    /// One poll for the peer's end, beside the receive: where bytes and the end come between two turns, kernels wake
    /// the receive once, for the bytes (seen with Linux 6.18), and it would wait for ever.
    class end_watch final : public operation {
      public:
        explicit end_watch(reception& of) noexcept : of_(of) {}
        void begin() noexcept;

      private:
        void answered(int result, std::uint32_t flags) noexcept override;
        reception& of_;
    };

    ~reception() override = default;
    void end() noexcept override;
    void answered(int result, std::uint32_t flags) noexcept override;
    bool asked() const noexcept { return in_flight() || end_watch_.in_flight(); }
    void take(piece& p, unsigned buffer, int result) noexcept;
    piece* lend_first() noexcept;
    std::size_t read(char* to, std::size_t capacity, std::uint64_t& stamp_ns) noexcept;
    bool unread() const noexcept { return first_ || moved_read_ < moved_out_.size(); }

    const int fd_;
    const bool stamps_;
    end_watch end_watch_{*this};
    bool closed_ = false; // let go: freed with the last answer
    bool pausing_ = false;
    bool starving_ = false;
    bool over_ = false;
    int error_ = 0;                            // over_: why; 0: the peer has closed
    piece *first_ = nullptr, *last_ = nullptr; // bytes in buffers of the kernel's
    std::size_t held_ = 0;                     // how many buffers
    std::vector<char> moved_out_;              // bytes from buffers that others needed; they come before the others
    std::size_t moved_read_ = 0;               // of them were read
    std::uint64_t moved_stamp_ns_ = 0;         // of the last byte there
};

/// The extension's functions.
extern const chm_recv_ops recv_ops;

} // namespace chimera::uring
