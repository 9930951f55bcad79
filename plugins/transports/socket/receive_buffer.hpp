// The bytes between recv and the parser.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>

namespace chimera::socket {

/// Received bytes that the parser has not consumed, followed by room for the next receive. Grows, and keeps its size.
class receive_buffer {
  public:
    /// Exactly n bytes to receive into. Moves what is unparsed to the front: views into the buffer end here.
    char* room(std::size_t n) {
        const std::size_t kept = end_ - begin_;
        if (kept + n > capacity_) {
            const std::size_t larger = std::max(kept + n + 64, capacity_ * 2);
            auto bytes = std::make_unique_for_overwrite<char[]>(larger);
            if (kept != 0) std::memcpy(bytes.get(), bytes_.get() + begin_, kept);
            bytes_ = std::move(bytes);
            capacity_ = larger;
        } else if (begin_ != 0) {
            std::memmove(bytes_.get(), bytes_.get() + begin_, kept);
        }
        begin_ = 0;
        end_ = kept;
        return bytes_.get() + end_;
    }
    void received(std::size_t n) noexcept { end_ += n; }
    std::span<char> unparsed() noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
    void consumed(std::size_t n) noexcept { begin_ += n; }
    bool empty() const noexcept { return begin_ == end_; }

  private:
    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

} // namespace chimera::socket
