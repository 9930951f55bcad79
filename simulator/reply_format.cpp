#include "reply_format.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace chimera::sim {

namespace {

constexpr std::size_t most_digits = 20;

} // namespace

wall_clock::wall_clock() { read_offset(); }

void wall_clock::read_offset() {
    timespec wall{};
    clock_gettime(CLOCK_REALTIME, &wall);
    offset_ = std::int64_t{wall.tv_sec} * 1'000'000'000 + wall.tv_nsec - monotonic_ns();
}

void wall_clock::format(std::int64_t monotonic, char* out) {
    constexpr std::int64_t billion = 1'000'000'000;
    if (unix_seconds(monotonic) != second_) {
        read_offset();
        second_ = unix_seconds(monotonic);
        const std::time_t seconds = second_;
        std::tm parts{};
        gmtime_r(&seconds, &parts);
        std::strftime(text_, sizeof text_, "%Y-%m-%dT%H:%M:%S.", &parts);
    }
    constexpr std::size_t to_fraction = 20;
    std::memcpy(out, text_, to_fraction);
    auto fraction = static_cast<std::uint64_t>((monotonic + offset_) % billion);
    for (std::size_t digit = to_fraction + 9; digit-- > to_fraction;) {
        out[digit] = static_cast<char>('0' + fraction % 10);
        fraction /= 10;
    }
    out[text_size - 1] = 'Z';
}

token_record::token_record(std::string before, std::size_t created_at, std::string after, std::string end)
    : before_(std::move(before)), created_at_(created_at), after_(std::move(after)), digits_at_(after_.size()),
      end_(std::move(end)) {
    after_.reserve(digits_at_ + most_digits + end_.size());
}

void token_record::use_texts(std::vector<std::string> texts) {
    texts_ = std::move(texts);
    longest_text_ = 0;
    for (const auto& text : texts_) {
        longest_text_ = std::max(longest_text_, text.size());
    }
}

void token_record::stamp(std::int64_t t_ns, wall_clock& clock) {
    if (created_at_ != std::string::npos) {
        clock.format(t_ns, before_.data() + created_at_);
    }
    char digits[most_digits];
    const auto end = std::to_chars(digits, digits + most_digits, t_ns).ptr;
    after_.resize(digits_at_);
    after_.append(digits, end);
    after_.append(end_);
}

void token_record::write(record_buffer& out, std::span<const token_id> tokens, std::size_t per_chunk,
                         bool chunked) const {
    while (!tokens.empty()) {
        const auto group = tokens.first(std::min(per_chunk, tokens.size()));
        tokens = tokens.subspan(group.size());
        if (chunked) {
            std::size_t size = 0;
            for (const auto token : group) {
                size += size_with(token);
            }
            out.put_chunk_head(size);
        }
        for (const auto token : group) {
            out.put(before_);
            out.put(text_of(token));
            out.put(after_);
        }
        if (chunked) {
            out.put("\r\n");
        }
    }
}

} // namespace chimera::sim
