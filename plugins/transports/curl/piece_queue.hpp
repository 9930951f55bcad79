// What curl's write callback delivered and nobody has read yet.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace chimera::curl {

/// Pieces of a body, kept apart: one call of curl's is one piece. Memory is reused once the queue has run empty, so a
/// steady stream allocates nothing.
class piece_queue {
  public:
    /// Copies a piece. It may move the memory of earlier ones: views are taken only while nothing is pushed.
    void push(std::string_view piece) {
        if (empty()) clear();
        bytes_.insert(bytes_.end(), piece.begin(), piece.end());
        ends_.push_back(bytes_.size());
    }
    /// [not empty] The next piece, valid until the next push.
    std::string_view pop() noexcept {
        const std::size_t end = ends_[next_++], begin = begin_;
        begin_ = end;
        return {bytes_.data() + begin, end - begin};
    }
    bool empty() const noexcept { return next_ == ends_.size(); }
    /// Bytes not yet popped.
    std::size_t bytes() const noexcept { return bytes_.size() - begin_; }
    void clear() noexcept {
        bytes_.clear();
        ends_.clear();
        next_ = begin_ = 0;
    }

  private:
    std::vector<char> bytes_;
    std::vector<std::size_t> ends_;
    std::size_t next_ = 0;  // index of the next piece's end
    std::size_t begin_ = 0; // and where it begins
};

} // namespace chimera::curl
