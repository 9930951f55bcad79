#include "protocol/stream_state.hpp"

#include <fmt/format.h>

namespace chimera::host {

const char* name_of(stream_error_kind kind) noexcept {
    switch (kind) {
    case stream_error_kind::garbage:
        return "garbage";
    case stream_error_kind::protocol:
        return "protocol";
    case stream_error_kind::oversized:
        return "oversized";
    case stream_error_kind::server_error:
        return "server_error";
    case stream_error_kind::early_end:
        return "early_end";
    }
    return "unknown";
}

namespace {

std::string counted(std::uint64_t n, std::string_view what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

} // namespace

std::vector<remark> remarks_on(const stream_state& state) {
    std::vector<remark> said;
    const auto count = [&said](std::uint64_t n, std::string_view sentence, std::string_view what) {
        if (n != 0) said.push_back({sentence, counted(n, what)});
    };
    count(state.other_choice_records,
          "the server sent pieces of a second choice, although one was requested; not counted", "piece");
    if (state.skipped_records != 0)
        said.push_back(
            {"records without a field that this API knows were skipped",
             fmt::format("{}, the first: {}", counted(state.skipped_records, "record"), state.first_skipped)});
    count(state.records_after_end, "the server sent records after the end of the answer; not read", "record");
    count(state.broken_characters, "characters were broken (half a surrogate pair, or not UTF-8); replaced by U+FFFD",
          "record");
    count(state.unframed_records, "JSON lines lacked the \"data:\" of an event stream", "line");
    count(state.framed_records, "lines had the \"data:\" of an event stream, which this API does not have", "line");
    count(state.skipped_parts, "parts of the content are neither text nor reasoning; not counted", "part");
    if (state.end_mark_missing) said.push_back({"the answer ended without [DONE], after a finish reason", {}});
    if (state.zero_usage)
        said.push_back({"the server counts 0 tokens although it sent content; its count is ignored", {}});
    if (!state.unreadable_figure.empty())
        said.push_back({"a figure of the server is not a count or a duration; ignored", state.unreadable_figure});
    return said;
}

} // namespace chimera::host
