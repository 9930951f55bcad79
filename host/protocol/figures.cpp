#include "protocol/figures.hpp"

#include "protocol/excerpt.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <system_error>

namespace chimera::host {

namespace {

template <class Number>
std::optional<Number> parsed(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// A whole number, however it is written.
std::optional<std::int64_t> whole(std::string_view text, std::int64_t most) {
    if (const auto number = parsed<std::int64_t>(text)) return *number >= 0 && *number <= most ? number : std::nullopt;
    const auto number = parsed<double>(text);
    if (!number || !(*number >= 0 && *number <= static_cast<double>(most)) || std::floor(*number) != *number)
        return std::nullopt;
    return static_cast<std::int64_t>(*number);
}

} // namespace

std::optional<std::int64_t> figure_reader::read(std::string_view name, std::string_view token, std::int64_t most) {
    token = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
    if (token == "null") return std::nullopt;
    const auto figure = whole(token, most);
    if (!figure && unreadable_.empty()) unreadable_ = fmt::format("{}: {}", name, excerpt(token, 40));
    return figure;
}

void figure_reader::count(std::string_view name, std::string_view token, std::optional<std::uint64_t>& figure) {
    if (const auto read_here = read(name, token, most_tokens))
        add_count(figure, static_cast<std::uint64_t>(*read_here));
}

void figure_reader::duration(std::string_view name, std::string_view token, std::optional<std::int64_t>& figure) {
    if (const auto read_here = read(name, token, most_ns)) figure = read_here;
}

void add_count(std::optional<std::uint64_t>& figure, const std::optional<std::uint64_t>& later) noexcept {
    if (later && (*later != 0 || !figure)) figure = later;
}

} // namespace chimera::host
