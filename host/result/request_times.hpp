// The definitions of TTFT, E2E and ITL, for a request that is being measured and for one that was read from a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <type_traits>

namespace chimera::host {

/// to - from in ms; 0 where `to` does not lie after `from`. Both in ns on one clock.
template <class T>
constexpr double milliseconds(T from, T to) noexcept {
    return to > from ? static_cast<double>(to - from) / 1e6 : 0;
}

/// first_token - dispatched; nothing where there was no token. 0 is a moment that did not happen.
constexpr std::optional<double> ttft_ms(std::uint64_t dispatched, std::uint64_t first_token) noexcept {
    return first_token != 0 ? std::optional(milliseconds(dispatched, first_token)) : std::nullopt;
}
constexpr std::optional<double> ttft_ms(std::optional<std::int64_t> dispatched,
                                        std::optional<std::int64_t> first_token) noexcept {
    return dispatched && first_token ? std::optional(milliseconds(*dispatched, *first_token)) : std::nullopt;
}

/// done - dispatched.
constexpr double e2e_ms(std::uint64_t dispatched, std::uint64_t done) noexcept {
    return milliseconds(dispatched, done);
}
constexpr std::optional<double> e2e_ms(std::optional<std::int64_t> dispatched,
                                       std::optional<std::int64_t> done) noexcept {
    return dispatched && done ? std::optional(milliseconds(*dispatched, *done)) : std::nullopt;
}

/// The gaps between the content records of one response, which are the values of ITL: calls each(gap in ns, number of
/// such gaps). Records that came in one piece have a gap of 0. A piece has members delivered and content_records.
template <class Pieces, class F>
void for_each_gap(const Pieces& pieces, F each) {
    using moment = std::remove_cvref_t<decltype((*std::begin(pieces)).delivered)>;
    std::optional<moment> previous;
    for (const auto& piece : pieces) {
        if (piece.content_records == 0) continue;
        if (previous)
            each(static_cast<std::uint64_t>(piece.delivered > *previous ? piece.delivered - *previous : 0),
                 std::size_t{1});
        if (piece.content_records > 1) each(std::uint64_t{0}, std::size_t{piece.content_records - 1});
        previous = piece.delivered;
    }
}

} // namespace chimera::host
