// The kernel's side of a worker: one io_uring, and the buffers that the kernel receives into.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace chimera::uring {

/// Something that the kernel is asked for. It must stay where it is for as long as it is in flight.
class operation {
  public:
    operation() noexcept = default;
    operation(const operation&) = delete;
    operation& operator=(const operation&) = delete;
    /// The kernel may still answer.
    bool in_flight() const noexcept { return in_flight_; }

  protected:
    virtual ~operation() = default;

  private:
    /// An answer: result and flags are the completion's. May free the operation when it is in flight no more. Must not
    /// turn the ring.
    virtual void answered(int result, std::uint32_t flags) noexcept = 0;

    bool in_flight_ = false;
    friend class ring;
};

/// Requests are collected and go to the kernel with the next turn: one system call submits, waits and brings answers.
/// Made on any thread; everything from enable() on is its worker's.
class ring {
  public:
    /// defer: completions are run only inside turn() where the kernel can do that (Linux 6.1). Throws sdk::error with
    /// what to do about it where the kernel has no io_uring for us.
    ring(unsigned entries, bool defer);
    ring(const ring&) = delete;
    ring& operator=(const ring&) = delete;
    ~ring() { io_uring_queue_exit(&ring_); }

    io_uring& raw() noexcept { return ring_; }
    /// Whether the kernel has multishot receives. They came with Linux 6.0, as did an operation that can be asked for.
    bool receives_many() const noexcept;
    /// [before anything is asked] The caller is the only thread that turns the ring from now on.
    void enable() noexcept;

    /// Asks for something; prepare fills the sqe. op is not in flight, and is until its last answer.
    template <class Prepare>
    void ask(operation& op, Prepare&& prepare) noexcept {
        io_uring_sqe* const sqe = take_sqe();
        prepare(sqe);
        io_uring_sqe_set_data(sqe, &op);
        op.in_flight_ = true;
        ++in_flight_;
    }
    /// Asks for something whose answer is not needed.
    template <class Prepare>
    void tell(Prepare&& prepare) noexcept {
        io_uring_sqe* const sqe = take_sqe();
        prepare(sqe);
        io_uring_sqe_set_data(sqe, nullptr);
    }
    /// The operation, if it is in flight, is answered soon, and for the last time.
    void cancel(operation& op) noexcept {
        if (op.in_flight_) tell([&](io_uring_sqe* sqe) { io_uring_prep_cancel(sqe, &op, 0); });
    }
    /// All requests reach the kernel now. So none names a descriptor by its number any more, and cancelled operations
    /// do not touch theirs. For callers that are about to close one.
    void flush() noexcept { io_uring_submit(&ring_); }

    /// Submits, waits for an answer if `wait`, and hands out all answers that are there.
    void turn(bool wait) noexcept;
    /// Cancels everything and returns when nothing is in flight.
    void drain() noexcept;

  private:
    io_uring_sqe* take_sqe() noexcept;

    io_uring ring_{};
    std::size_t in_flight_ = 0;
};

/// The bytes in one buffer, while it is not the kernel's.
struct piece {
    piece* next;            // the holder's
    const char* bytes;      // the unread rest
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
