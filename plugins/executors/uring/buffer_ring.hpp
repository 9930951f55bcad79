// The buffers that the kernel receives into, lent to it all the time.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace chimera::uring {

/// What one buffer holds, while it is not the kernel's.
struct piece {
    piece* next;            // the holder's
    const char* bytes;      // what is left of it
    std::size_t length;     // not 0
    std::uint64_t stamp_ns; // when the kernel had it, CLOCK_REALTIME; 0: it does not say
    unsigned buffer;
};

/// `count` buffers (a power of two), in a ring that the kernel takes them from. One thread. Destroyed after the ring
/// that it is registered with.
class buffer_ring {
  public:
    static constexpr unsigned short group = 0;

    /// Throws std::bad_alloc, and sdk::error where the kernel has no such rings (before 5.19).
    buffer_ring(io_uring& ring, unsigned count, std::size_t buffer_size);
    buffer_ring(const buffer_ring&) = delete;
    buffer_ring& operator=(const buffer_ring&) = delete;
    ~buffer_ring();

    char* at(unsigned id) const noexcept { return data_ + id * size_; }
    std::size_t buffer_size() const noexcept { return size_; }
    /// How many the kernel has.
    unsigned lent() const noexcept { return lent_; }
    /// The kernel has filled one: it is ours until it is lent again.
    piece& take(unsigned id) noexcept {
        --lent_;
        return pieces_[id];
    }
    /// The kernel may fill it again.
    void lend(unsigned id) noexcept {
        io_uring_buf_ring_add(ring_, at(id), static_cast<unsigned>(size_), static_cast<unsigned short>(id),
                              io_uring_buf_ring_mask(count_), 0);
        io_uring_buf_ring_advance(ring_, 1);
        ++lent_;
    }

  private:
    const unsigned count_;
    const std::size_t size_;
    std::size_t mapped_;
    io_uring_buf_ring* ring_; // the ring, then the buffers: one mapping, whose pages come with their first use
    char* data_;
    std::unique_ptr<piece[]> pieces_;
    unsigned lent_ = 0;
};

} // namespace chimera::uring
