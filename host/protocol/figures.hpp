#pragma once

#include "protocol/stream_state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chimera::host {

/// Takes the figures of a server's record. A server's mistake in a figure is told and does not cost the reply.
class figure_reader {
  public:
    static constexpr std::int64_t most_tokens = 1'000'000'000'000, most_ns = 1'000'000'000'000'000'000;

    /// A count at `token`, the raw JSON of a value ("20", "20.0", "null"). A later count replaces an earlier one, but 0
    /// replaces none.
    void count(std::string_view name, std::string_view token, std::optional<std::uint64_t>& figure);
    /// A duration in nanoseconds.
    void duration(std::string_view name, std::string_view token, std::optional<std::int64_t>& figure);

    /// The first figure that was not taken: "eval_count: -1"; empty: there was none.
    const std::string& unreadable() const noexcept { return unreadable_; }

  private:
    std::optional<std::int64_t> read(std::string_view name, std::string_view token, std::int64_t most);

    std::string unreadable_;
};

/// Adds the figures of a later record to those of earlier ones, by the rule of figure_reader::count.
void add_count(std::optional<std::uint64_t>& figure, const std::optional<std::uint64_t>& later) noexcept;

} // namespace chimera::host
