// [internal] The bytes of one direction of a stream, from send() until they are acknowledged.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <span>

namespace chimera::quic {

/// Bytes do not move while they are in here: ngtcp2 keeps pointers to what it sent, to send it again. Small sends share
/// a block; an acknowledged block is used again, so a steady stream of messages allocates nothing.
class send_queue {
  public:
    static constexpr std::size_t block_size = 16 * 1024;
    static constexpr std::size_t most_pieces = 16;

    /// Copies. Throws std::bad_alloc, and then has taken nothing.
    void push(std::span<const std::byte> bytes);
    /// The front of what was not sent yet, in the first pieces of out. Returns how many.
    std::size_t front(std::array<std::span<const std::byte>, most_pieces>& out) const;
    void sent(std::size_t bytes) { sent_ += bytes; }
    void acknowledged(std::size_t bytes);

    [[nodiscard]] std::size_t unsent() const { return end_ - sent_; }
    [[nodiscard]] std::size_t unacknowledged() const { return sent_ - begin_; }
    [[nodiscard]] bool empty() const { return end_ == begin_; }

  private:
    using block = std::array<std::byte, block_size>;
    std::deque<std::unique_ptr<block>> blocks_;
    std::unique_ptr<block> spare_;
    // Offsets from the start of the first block: begin_ <= sent_ <= end_.
    std::size_t begin_ = 0, sent_ = 0, end_ = 0;
};

} // namespace chimera::quic
