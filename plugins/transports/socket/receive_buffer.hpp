// The bytes between recv and the parser.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

namespace chimera::socket {

/// Received bytes that the parser has not consumed, followed by room for the next receive. Grows, and keeps its size
/// until it is given back.
class receive_buffer {
  public:
    /// Exactly n bytes to receive into. Moves the unparsed bytes to the front, so views into the buffer end here.
    char* room(std::size_t n) {
        const std::size_t kept = end_ - begin_;
        const char* const from = memory_.bytes ? memory_.bytes.get() + begin_ : rest_.data();
        if (!memory_.bytes) memory_ = spares().take();
        wanted_ = n;
        if (kept + n > memory_.capacity) {
            const std::size_t larger = std::max(kept + n + 64, memory_.capacity * 2);
            auto bytes = std::make_unique_for_overwrite<char[]>(larger);
            std::memcpy(bytes.get(), from, kept);
            memory_ = {std::move(bytes), larger};
        } else {
            std::memmove(memory_.bytes.get(), from, kept);
        }
        begin_ = 0;
        end_ = kept;
        return memory_.bytes.get() + end_;
    }
    void received(std::size_t n) noexcept { end_ += n; }
    std::span<char> unparsed() noexcept { return {memory_.bytes.get() + begin_, end_ - begin_}; }
    void consumed(std::size_t n) noexcept { begin_ += n; }
    bool empty() const noexcept { return begin_ == end_; }

    /// [no view exists] Gives the memory to the next receive on this thread, unless more than a few unparsed bytes are
    /// in it (usually there is only the line end after a chunk). So a waiting connection holds no memory, and a
    /// thousand connections share memory that is in the cache. Call room() before unparsed() is called again.
    void give_back() noexcept {
        const std::size_t kept = end_ - begin_;
        if (!memory_.bytes || kept > rest_.size()) return;
        std::memcpy(rest_.data(), memory_.bytes.get() + begin_, kept);
        begin_ = 0;
        end_ = kept;
        if (memory_.capacity <= 4 * wanted_ + 1024)
            spares().put(std::move(memory_)); // not the size that one large head needed
        memory_ = {};
    }

  private:
    struct memory {
        std::unique_ptr<char[]> bytes;
        std::size_t capacity = 0;
    };
    /// The spare memory of a thread. Usually one piece is enough, because a task gives it back before it waits. Tasks
    /// behind a bridge may yield between two pieces and need more.
    class spare_memory {
      public:
        memory take() noexcept { return count_ == 0 ? memory{} : std::move(kept_[--count_]); }
        void put(memory&& m) noexcept {
            if (count_ != kept_.size()) kept_[count_++] = std::move(m);
        }

      private:
        std::array<memory, 16> kept_;
        std::size_t count_ = 0;
    };
    static spare_memory& spares() noexcept {
        thread_local spare_memory of_this_thread;
        return of_this_thread;
    }

    memory memory_;
    std::array<char, 8> rest_; // the unparsed bytes while there is no memory_
    std::size_t begin_ = 0, end_ = 0, wanted_ = 0;
};

} // namespace chimera::socket
