// What is recorded of each piece of a response body, and the packed list of them: a run of a million tokens keeps a
// million pieces in memory until it is written.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <memory>
#include <utility>

namespace chimera::host {

using nanoseconds_t = std::uint64_t;

/// The distance from a to b, 0 where b does not lie after a, cut to what 32 bits hold (4.29 s).
constexpr std::uint32_t delay_between(nanoseconds_t a, nanoseconds_t b) noexcept {
    if (b <= a) return 0;
    constexpr nanoseconds_t most = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(b - a < most ? b - a : most);
}

/// One piece of a response body on its way through the client:
/// arrived (kernel) -> readable (wake) -> polled (scheduling) -> delivered (transport) -> recorded (parsing).
struct chunk_event {
    nanoseconds_t delivered;           ///< handed to the parser, stamped before parsing
    std::uint32_t readable_to_polled;  ///< runnable until its task was polled
    std::uint32_t polled_to_delivered; ///< inside the transport
    std::uint32_t delivered_to_recorded;
    std::uint32_t content_records;         ///< records with content that this piece completed
    std::uint32_t arrived_to_readable = 0; ///< in the kernel, before anybody looked; 0 also where nobody knows
    std::uint32_t stamped_to_recorded = 0; ///< since the server's stamp of the first record; 0 where it stamps none
    std::uint32_t behind_others = 0;       ///< after its arrival, behind other requests' bytes on their connection

    /// arrived, or else readable -> delivered, ns.
    nanoseconds_t delivery_delay() const noexcept {
        return nanoseconds_t{arrived_to_readable} + readable_to_polled + polled_to_delivered;
    }
    /// readable -> recorded, ns. Every client shows this in the same way, whether or not its transport knows arrivals.
    nanoseconds_t client_delay() const noexcept {
        return nanoseconds_t{readable_to_polled} + polled_to_delivered + delivered_to_recorded;
    }
};

/// Where a piece begins in a log. By itself: the first one of all.
struct piece_place {
    std::size_t byte = 0;
    nanoseconds_t before = 0; ///< delivered, of the piece in front of it
};

/// Pieces in the order in which they were delivered, packed: a header of one byte, then members, each with as many
/// bytes as the largest of its group needs. delivered counts from the piece before. content_records and behind_others
/// follow only where they are not 1 and 0. At 10 tokens a second that is about 17 bytes a piece, where a chunk_event
/// has 40.
///
/// Adding does not allocate as long as there is room. One thread at a time. A range ends with the next push_back().
class piece_log {
  public:
    class range;

    piece_log() = default;
    piece_log(std::initializer_list<chunk_event> pieces) {
        for (const chunk_event& piece : pieces) push_back(piece);
    }
    piece_log(piece_log&& o) noexcept { swap(o); }
    piece_log(const piece_log& o)
        : bytes_(o.used_ != 0 ? std::make_unique_for_overwrite<unsigned char[]>(o.used_ + most_bytes) : nullptr),
          used_(o.used_), capacity_(o.used_ != 0 ? o.used_ + most_bytes : 0), count_(o.count_), last_(o.last_) {
        if (used_ != 0) std::memcpy(bytes_.get(), o.bytes_.get(), used_);
    }
    piece_log& operator=(piece_log o) noexcept {
        swap(o);
        return *this;
    }
    ~piece_log() = default;

    std::size_t size() const noexcept { return count_; }
    bool empty() const noexcept { return count_ == 0; }
    /// How much memory the pieces take, without the room for more.
    std::size_t bytes() const noexcept { return used_; }

    /// Room for this many pieces. Of a large room only the pages in use take memory, so it holds them whatever their
    /// times are. A small one is memory, and holds them as they usually are: it may grow once.
    void reserve(std::size_t pieces) {
        constexpr std::size_t usual_piece = 18, large = std::size_t{64} << 10U;
        if (pieces == 0) return;
        const std::size_t each = pieces * largest_piece < large ? usual_piece : largest_piece;
        if (const std::size_t wanted = pieces * each + most_bytes; wanted > capacity_) move_to(wanted);
    }
    void push_back(const chunk_event&);

    /// The place of the piece that is added next.
    piece_place next() const noexcept { return {used_, last_}; }
    /// `count` pieces from a place on; there are that many.
    range from(piece_place, std::size_t count) const noexcept;
    range all() const noexcept;

  private:
    // A member is written and read as a word of 8 bytes. The next member overwrites the bytes that are not used. So
    // there is always room for a word behind the last piece.
    static_assert(std::endian::native == std::endian::little);
    static constexpr std::size_t largest_piece = 1 + 8 + 5 * 4 + 2 * 4, most_bytes = largest_piece + 8;
    // The header: how many bits give the size of a group's members, less 1; the last bit is for what seldom follows.
    static constexpr unsigned gap_bits = 3, delay_bits = 2;
    static constexpr std::uint32_t usual_records = 1;

    static constexpr unsigned bytes_of(std::uint64_t value) noexcept { // 1 to 8
        return static_cast<unsigned>(63 ^ std::countl_zero(value | 1U)) / 8 + 1;
    }
    static constexpr std::uint64_t bits(std::size_t bytes) noexcept {
        return bytes == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * bytes)) - 1;
    }

    void swap(piece_log& o) noexcept {
        std::swap(bytes_, o.bytes_);
        std::swap(used_, o.used_);
        std::swap(capacity_, o.capacity_);
        std::swap(count_, o.count_);
        std::swap(last_, o.last_);
    }
    void move_to(std::size_t capacity) {
        auto larger = std::make_unique_for_overwrite<unsigned char[]>(capacity);
        if (used_ != 0) std::memcpy(larger.get(), bytes_.get(), used_);
        bytes_ = std::move(larger);
        capacity_ = capacity;
    }

    [[gnu::noinline]] void grow() { move_to(capacity_ + capacity_ / 4 + most_bytes); }

    std::unique_ptr<unsigned char[]> bytes_;
    std::size_t used_ = 0, capacity_ = 0, count_ = 0;
    nanoseconds_t last_ = 0;
};

inline void piece_log::push_back(const chunk_event& c) {
    if (capacity_ - used_ < most_bytes) grow();
    unsigned char* const begin = bytes_.get() + used_;
    unsigned char* at = begin + 1;
    unsigned header = 0, shift = 0;
    const auto put = [&at](std::uint64_t member, unsigned size) {
        std::memcpy(at, &member, sizeof member);
        at += size;
    };
    const auto put_group = [&](unsigned size_bits, auto... members) {
        const unsigned size = bytes_of((members | ...));
        (put(members, size), ...);
        header |= (size - 1) << shift;
        shift += size_bits;
    };
    put_group(gap_bits, c.delivered - last_); // around 0 where it does not lie after: reading adds up to the same
    put_group(delay_bits, c.polled_to_delivered, c.delivered_to_recorded);
    put_group(delay_bits, c.readable_to_polled, c.arrived_to_readable, c.stamped_to_recorded);
    if (c.content_records != usual_records || c.behind_others != 0) {
        put(c.content_records, sizeof c.content_records);
        put(c.behind_others, sizeof c.behind_others);
        header |= 1U << shift;
    }
    *begin = static_cast<unsigned char>(header);
    used_ = static_cast<std::size_t>(at - bytes_.get());
    last_ = c.delivered;
    ++count_;
}

/// Pieces that follow each other, unpacked one by one: `for (const chunk_event& c : range)`.
class piece_log::range {
  public:
    class iterator {
      public:
        using value_type = chunk_event;
        using difference_type = std::ptrdiff_t;

        iterator(const unsigned char* at, nanoseconds_t before, std::size_t left) noexcept : at_(at), left_(left) {
            now_.delivered = before;
            if (left_ != 0) unpack();
        }
        const chunk_event& operator*() const noexcept { return now_; }
        const chunk_event* operator->() const noexcept { return &now_; }
        iterator& operator++() noexcept {
            if (--left_ != 0) unpack();
            return *this;
        }
        void operator++(int) noexcept { ++*this; }
        bool operator==(std::default_sentinel_t) const noexcept { return left_ == 0; }

      private:
        void unpack() noexcept {
            unsigned header = *at_++;
            const auto take = [&]<class T>(T& member, std::size_t size) {
                std::uint64_t word = 0;
                std::memcpy(&word, at_, sizeof word);
                at_ += size;
                member = static_cast<T>(word & bits(size));
            };
            const auto take_group = [&](unsigned size_bits, auto&... members) {
                const std::size_t size = (header & ((1U << size_bits) - 1)) + 1;
                header >>= size_bits;
                (take(members, size), ...);
            };
            nanoseconds_t gap = 0;
            take_group(gap_bits, gap);
            now_.delivered += gap;
            take_group(delay_bits, now_.polled_to_delivered, now_.delivered_to_recorded);
            take_group(delay_bits, now_.readable_to_polled, now_.arrived_to_readable, now_.stamped_to_recorded);
            now_.content_records = usual_records;
            now_.behind_others = 0;
            if (header != 0) {
                take(now_.content_records, sizeof now_.content_records);
                take(now_.behind_others, sizeof now_.behind_others);
            }
        }

        const unsigned char* at_;
        std::size_t left_; // the current piece included
        chunk_event now_{};
    };

    range(const unsigned char* at, nanoseconds_t before, std::size_t count) noexcept
        : at_(at), before_(before), count_(count) {}
    iterator begin() const noexcept { return {at_, before_, count_}; }
    static std::default_sentinel_t end() noexcept { return {}; }
    std::size_t size() const noexcept { return count_; }

  private:
    const unsigned char* at_;
    nanoseconds_t before_;
    std::size_t count_;
};

inline piece_log::range piece_log::from(piece_place first, std::size_t count) const noexcept {
    return {bytes_.get() + first.byte, first.before, count};
}

inline piece_log::range piece_log::all() const noexcept { return from({}, count_); }

} // namespace chimera::host
