#include "protocol/response_body.hpp"

#include "protocol/error_body.hpp"
#include "protocol/excerpt.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace chimera::host {

namespace {

char first_of(std::string_view text) noexcept {
    const std::size_t at = text.find_first_not_of(" \t\r\n");
    return at == std::string_view::npos ? '\0' : text[at];
}

/// Kept from one reply to the next. One huge reply must not cost memory for the rest of a campaign.
constexpr std::size_t most_memory_kept = std::size_t{1} << 20U;

} // namespace

bool whole_body::begins_with(std::string_view line) noexcept {
    const char first = first_of(line);
    return first == '{' || first == '[' || first == '<';
}

bool whole_body::is_markup() const noexcept { return first_of(text_) == '<'; }

bool whole_body::add(std::string_view line) {
    const std::size_t room = most_bytes - std::min(most_bytes, text_.size() + 1);
    const std::string_view taken = line.substr(0, room);
    if (!text_.empty()) text_ += '\n';
    text_ += taken;
    if (taken.size() != line.size()) return true;
    if (is_markup())
        return taken.find("</html>") != std::string_view::npos || taken.find("</HTML>") != std::string_view::npos;
    bool in_string = false;
    for (std::size_t i = 0; i < taken.size(); ++i) {
        const char c = taken[i];
        if (in_string && c == '\\') {
            ++i;
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && (c == '{' || c == '[')) {
            ++depth_;
        } else if (!in_string && (c == '}' || c == ']') && depth_ != 0) {
            --depth_;
        }
    }
    return depth_ == 0 || in_string;
}

void whole_body::reset() noexcept {
    std::string().swap(text_);
    depth_ = 0;
}

response_body::response_body(const stream_options& options) : options_(options), lines_(options.max_record_bytes) {
    reset_body();
}

void response_body::reset_body() {
    std::string text = std::move(state_.text);
    std::string reasoning = std::move(state_.reasoning);
    for (std::string* kept : {&text, &reasoning}) {
        kept->clear();
        if (kept->capacity() > most_memory_kept) std::string().swap(*kept);
    }
    state_ = {};
    state_.text = std::move(text);
    state_.reasoning = std::move(reasoning);
    if (options_.keep_text) state_.text.reserve(options_.reserve_text_bytes);
    chunk_ = {};
    lines_.reset();
    body_.reset();
    first_ignored_.clear();
    overlong_behind_end_ = false;
}

void response_body::add_content(std::string_view text, std::string_view reasoning, std::uint64_t tool_call_bytes) {
    if (text.empty() && reasoning.empty() && tool_call_bytes == 0) return;
    const bool only_reasoning = text.empty() && tool_call_bytes == 0;
    if (state_.content_records == 0) {
        chunk_.first_content = true;
        state_.first_content_was_reasoning = only_reasoning;
    }
    ++chunk_.content_records;
    ++state_.content_records;
    if (only_reasoning) {
        ++chunk_.reasoning_records;
        ++state_.reasoning_records;
    } else if (text.empty()) {
        ++chunk_.tool_call_records;
        ++state_.tool_call_records;
    }
    if (!options_.keep_text) return;
    state_.text_bytes += text.size() + reasoning.size() + tool_call_bytes;
    state_.text.append(text);
    state_.reasoning.append(reasoning);
}

void response_body::note_send_time(std::int64_t t_ns) noexcept {
    if (chunk_.first_t_ns == 0) chunk_.first_t_ns = t_ns;
    chunk_.last_t_ns = t_ns;
}

void response_body::skip_record(std::string_view record) {
    if (state_.skipped_records++ == 0) state_.first_skipped = excerpt(record);
}

void response_body::note_unreadable(const std::string& figure) {
    if (!figure.empty() && state_.unreadable_figure.empty()) state_.unreadable_figure = figure;
}

void response_body::complete() {
    state_.finished = true;
    server_figures& figures = state_.figures;
    if (figures.completion_tokens != 0U || state_.content_records == 0) return;
    state_.zero_usage = true;
    figures.completion_tokens.reset();
    for (auto* count : {&figures.prompt_tokens, &figures.reasoning_tokens})
        if (*count == 0U) count->reset();
}

void response_body::fail(stream_error_kind kind, std::string_view what, std::string_view record) {
    if (state_.error) return;
    state_.error =
        stream_error{kind, state_.records, fmt::format("record {}: {}: {}", state_.records, what, excerpt(record))};
}

void response_body::fail_server_error(std::string_view what, std::string_view words) {
    if (state_.error) return;
    state_.error = stream_error{stream_error_kind::server_error, state_.records,
                                fmt::format("record {}: {}: {}", state_.records, what, words)};
}

bool response_body::fail_if_json(std::string_view field, std::string_view record) {
    // The on-demand parser does not tell a value of a wrong type from a value that is not JSON. This parser does.
    if (!nlohmann::json::accept(record)) return false;
    const char first = trimmed(record).front();
    if (const auto words = error_in(record, false); words || first == '"') {
        fail_server_error("the server reports an error", words ? *words : parse_error_body(record));
        return true;
    }
    const auto what = first != '{' || field.empty() ? std::string("not a JSON object")
                                                    : fmt::format("field '{}' has a wrong type", field);
    fail(stream_error_kind::protocol, what, record);
    return true;
}

void response_body::fail_not_json(std::string_view record, std::string_view reason) {
    const std::string_view text = trimmed(record);
    const bool is_text = !text.empty() && !may_begin_json(text) && static_cast<unsigned char>(text.front()) >= 0x20;
    if (is_text)
        fail_server_error("the server sent text that is not JSON", parse_error_body(text));
    else
        fail(stream_error_kind::garbage, fmt::format("not valid JSON ({})", reason), record);
}

void response_body::fail_whole_body() {
    const std::string_view text = body_.text();
    ++state_.records;
    if (body_.is_markup()) {
        fail_server_error("the server sent HTML or XML instead of a stream", parse_error_body(text));
        return;
    }
    const auto document = nlohmann::json::parse(text, nullptr, false);
    if (document.is_discarded()) {
        fail(stream_error_kind::garbage, "neither a record of a stream nor valid JSON as a whole", text);
    } else if (const auto words = error_in(text, false)) {
        fail_server_error("the server sent a whole JSON body instead of a stream, which reports an error", *words);
    } else if (document.is_object() && (document.contains("choices") || document.contains("done"))) {
        fail(stream_error_kind::protocol, "the server did not stream: it sent the whole answer as one JSON body", text);
    } else {
        fail_server_error("the server sent a whole JSON body instead of a stream", parse_error_body(text));
    }
}

bool response_body::gather(std::string_view line) {
    if (!body_.add(line)) return true;
    fail_whole_body();
    return false;
}

void response_body::on_oversized() {
    if (state_.finished) {
        pass_over();
        overlong_behind_end_ = true;
        lines_.reset();
    } else {
        fail_oversized(lines_.rejected());
    }
}

void response_body::fail_oversized(std::string_view record) {
    ++state_.records;
    fail(stream_error_kind::oversized, fmt::format("longer than the limit of {} bytes", options_.max_record_bytes),
         record);
}

void response_body::fail_early_end(std::string_view missing, std::string_view expected) {
    if (state_.error) return;
    if (state_.records != 0 && state_.records == state_.skipped_records) {
        state_.error = stream_error{
            stream_error_kind::protocol, 1,
            fmt::format("no record of {} has {}; the first: {}", state_.records, expected, state_.first_skipped)};
    } else if (state_.records == 0 && !first_ignored_.empty()) {
        state_.error = stream_error{
            stream_error_kind::server_error, 0,
            fmt::format("the server sent text instead of a stream, which begins with: {}", first_ignored_)};
    } else {
        state_.error = stream_error{stream_error_kind::early_end, state_.records,
                                    fmt::format("the body ended after {} record{} without {}", state_.records,
                                                state_.records == 1 ? "" : "s", missing)};
    }
}

bool may_begin_json(std::string_view text) noexcept {
    text = trimmed(without_byte_order_mark(trimmed(text)));
    if (text.empty()) return true;
    if (text.front() == '{' || text.front() == '"') return true;
    if (text.front() != '[') return false;
    text = trimmed(text.substr(1)); // "[ERROR] out of memory" is words
    return text.empty() || text.front() == '{' || text.front() == '[' || text.front() == '"' || text.front() == ']';
}

} // namespace chimera::host
