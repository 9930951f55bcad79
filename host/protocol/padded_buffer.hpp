#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace chimera::host {

/// Bytes that a JSON parser may read (never interpret) behind the end of a record.
inline constexpr std::size_t record_padding = 64;

/// A piece of text with `slack` readable bytes behind it: of a line at least one, its end or a 0.
struct record_view {
    std::string_view text;
    std::size_t slack = 0;
};

/// A growing byte buffer that always has record_padding readable bytes behind its content. Keeps its memory on clear.
class padded_buffer {
  public:
    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }
    record_view view() const noexcept { return {{bytes_.get(), size_}, record_padding}; }

    void append(std::string_view piece) {
        if (piece.empty()) return;
        if (size_ + piece.size() > capacity_) grow(size_ + piece.size());
        std::memcpy(bytes_.get() + size_, piece.data(), piece.size());
        size_ += piece.size();
        std::memset(bytes_.get() + size_, 0, record_padding);
    }

    void clear() noexcept { size_ = 0; }

    /// Clears and gives the memory back.
    void release() noexcept {
        bytes_.reset();
        size_ = 0;
        capacity_ = 0;
    }

  private:
    void grow(std::size_t needed) {
        const std::size_t capacity = std::max({needed, capacity_ * 2, std::size_t{448}});
        auto bytes = std::make_unique<char[]>(capacity + record_padding);
        if (size_ != 0) std::memcpy(bytes.get(), bytes_.get(), size_);
        bytes_ = std::move(bytes);
        capacity_ = capacity;
    }

    std::unique_ptr<char[]> bytes_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

} // namespace chimera::host
