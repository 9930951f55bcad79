// Bytes that grow at the end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>

namespace chimera::frames {

/// Owns its bytes, which begin at an address that is a multiple of 8. clear() keeps the memory, so a buffer that is
/// used again does not allocate. One thread at a time. Pointers and views into it are valid until it grows.
class byte_buffer {
  public:
    /// Room for `n` more bytes at the end, not initialized.
    std::byte* append(std::size_t n) {
        if (n > capacity_ - size_) grow(n);
        std::byte* const at = memory_.get() + size_;
        size_ += n;
        return at;
    }
    void append(std::span<const std::byte> bytes) {
        if (!bytes.empty()) std::memcpy(append(bytes.size()), bytes.data(), bytes.size());
    }
    /// size: at most size(). What lies behind it is forgotten.
    void truncate(std::size_t size) noexcept { size_ = size; }
    void clear() noexcept { size_ = 0; }

    std::byte* data() noexcept { return memory_.get(); }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    std::span<const std::byte> bytes() const noexcept { return {memory_.get(), size_}; }

  private:
    void grow(std::size_t n) {
        const std::size_t capacity = std::max({size_ + n, capacity_ * 2, std::size_t{256}});
        auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity);
        if (size_ != 0) std::memcpy(larger.get(), memory_.get(), size_);
        memory_ = std::move(larger);
        capacity_ = capacity;
    }

    static_assert(__STDCPP_DEFAULT_NEW_ALIGNMENT__ >= 8);
    std::unique_ptr<std::byte[]> memory_;
    std::size_t size_ = 0, capacity_ = 0;
};

} // namespace chimera::frames
