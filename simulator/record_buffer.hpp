#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace chimera::sim {

/// A fixed piece of memory in which one send is put together. Callers see to it that there is room.
class record_buffer {
  public:
    explicit record_buffer(std::size_t capacity) : bytes_(std::make_unique<char[]>(capacity)), capacity_(capacity) {}

    void clear() { size_ = 0; }
    std::size_t room() const { return capacity_ - size_; }
    std::string_view view() const { return {bytes_.get(), size_}; }

    void put(std::string_view text) {
        std::memcpy(bytes_.get() + size_, text.data(), text.size());
        size_ += text.size();
    }

    /// `size` in hexadecimal and a line end: the head of an HTTP chunk.
    void put_chunk_head(std::size_t size) {
        const auto end = std::to_chars(bytes_.get() + size_, bytes_.get() + capacity_, size, 16).ptr;
        size_ = static_cast<std::size_t>(end - bytes_.get());
        put("\r\n");
    }

  private:
    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_;
    std::size_t size_ = 0;
};

} // namespace chimera::sim
