#include "protocol/llm_stream.hpp"

#include "protocol/error_body.hpp"
#include "protocol/excerpt.hpp"
#include "protocol/json_record.hpp"
#include "protocol/openai_record.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace chimera::host {

namespace {

constexpr std::string_view end_mark = "[DONE]";

/// Any text that begins with [DONE], as in the vendor's own client. Some servers write it in small letters, or as a
/// JSON string.
bool is_end_mark(std::string_view text) noexcept {
    if (text.starts_with('"')) text.remove_prefix(1);
    return text.starts_with(end_mark) || text.starts_with("[done]");
}

constexpr std::string_view is_error = "the server reports an error";

/// The value of a line's field: the text after the colon and one blank.
record_view value_of(record_view line, std::size_t colon) noexcept {
    std::size_t skip = colon == std::string_view::npos ? line.text.size() : colon + 1;
    if (skip < line.text.size() && line.text[skip] == ' ') ++skip;
    line.text.remove_prefix(skip);
    return line;
}

} // namespace

void openai_stream::reset() {
    reset_body();
    ready_ = true;
    begun_ = is_error_event_ = is_pending_ = is_pending_text_ = is_settled_ = false;
    pending_.release();
    first_index_ = last_index_ = highest_index_ = no_index;
    same_index_ = 0;
}

feed_result openai_stream::feed(std::string_view chunk) {
    split<line_splitter::ends::any>(chunk, [this](record_view line) { return on_line(line); });
    if (is_pending_text_ && !state_.error) { // no blank line may ever come
        end_event();
        tell();
    }
    return chunk_;
}

feed_result openai_stream::finish() {
    chunk_ = {};
    if (!state_.error && !state_.finished) {
        const bool has_reason = !state_.figures.finish_reason.empty();
        const bool is_cut = has_reason && lines_.within_line(); // after the answer: the cut line is dropped
        lines_.flush([this](record_view line) { return on_line(line); });
        if (is_cut && is_pending_) is_pending_ = is_pending_text_ = false;
        if (!state_.error) end_event();
        if (!state_.error && body_.gathering()) fail_whole_body();
        if (!state_.error && !state_.finished && !state_.figures.finish_reason.empty()) {
            complete();
            state_.end_mark_missing = true;
        }
    }
    if (!state_.finished) fail_early_end("[DONE]", "'choices', 'usage' or 'error'");
    tell();
    return chunk_;
}

bool openai_stream::on_line(record_view line) {
    constexpr std::string_view data = "data:";
    if (ready_ && line.text.starts_with(data)) {
        plain_openai_record record;
        if (read_plain(value_of(line, data.size() - 1), record)) {
            take(record);
            return true;
        }
    } else if (ready_ && line.text.empty()) {
        return true;
    }
    return on_rare_line(line);
}

/// A line that may be several: lines that end with a CR are still joined.
bool openai_stream::on_rare_line(record_view line) {
    std::size_t end = line.text.find('\r');
    if (end == std::string_view::npos) return on_whole_line(line);
    for (std::string_view rest = line.text;; end = rest.find('\r')) {
        const std::string_view one = rest.substr(0, end);
        rest.remove_prefix(one.size());
        if (!on_line({one, rest.size() + line.slack})) return false;
        if (rest.empty()) return true;
        rest.remove_prefix(1);
    }
}

bool openai_stream::on_whole_line(record_view line) {
    if (!begun_) {
        begun_ = true;
        if (state_.records == 0 && line.text.starts_with(byte_order_mark)) {
            line.text.remove_prefix(byte_order_mark.size());
            return on_line(line);
        }
    }
    const std::size_t colon = line.text.find(':');
    const std::string_view name = line.text.substr(0, colon);
    if (name == "data" && ready_) return on_data(value_of(line, colon));
    if (body_.gathering()) {
        if (name != "data") return gather(line.text);
        fail_whole_body();
        return false;
    }
    if (line.text.empty()) return end_event();
    if (name == "data") return on_data(value_of(line, colon));
    if (name.empty() || name == "id" || name == "retry") return true;
    if (name == "event") {
        is_error_event_ = trimmed(value_of(line, colon).text) == "error";
        ready_ = ready_ && !is_error_event_;
        return true;
    }
    return on_other_line(line);
}

/// A line with none of the standard's fields. A client ignores such lines, but some servers send errors that way.
bool openai_stream::on_other_line(record_view line) {
    const std::string_view text = trimmed(line.text);
    if (text.empty()) return true;
    if (state_.finished) {
        if (text.front() == '{') pass_over();
        return true;
    }
    if (is_pending_) return keep(line.text); // JSON or text whose first line alone has `data:`
    if (is_end_mark(text)) return on_end_mark();
    constexpr std::string_view error = "error:";
    if (text.starts_with(error) && !trimmed(text.substr(error.size())).empty()) {
        ++state_.records;
        fail_server_error(is_error, parse_error_body(text.substr(error.size())));
        return false;
    }
    if (text.front() == '{') return on_unframed(line);
    if (state_.records == 0 && whole_body::begins_with(text)) {
        ready_ = false;
        return gather(line.text);
    }
    if (state_.records == 0 && first_ignored_.empty()) first_ignored_ = excerpt(text);
    return true;
}

bool openai_stream::on_unframed(record_view line) {
    const outcome result = read(line, false);
    if (result != outcome::not_json) return result == outcome::taken;
    ready_ = false;
    return gather(line.text);
}

bool openai_stream::on_data(record_view data) {
    const std::string_view text = trimmed(data.text);
    if (state_.finished) {
        if (!text.empty() && !is_end_mark(text)) pass_over();
        return true;
    }
    if (is_end_mark(text)) return end_event() && on_end_mark();
    if (is_pending_) return keep(data.text);
    if (text.empty()) return true;
    if (is_error_event_) {
        if (!nlohmann::json::accept(text)) return keep(data.text);
        ++state_.records;
        fail_server_error(is_error, parse_error_body(text));
        return false;
    }
    const outcome result = read(data, true);
    return result == outcome::not_json ? keep(data.text) : result == outcome::taken;
}

/// Keeps data that is not JSON by itself until the end of the event.
bool openai_stream::keep(std::string_view data) {
    if (!is_pending_) {
        pending_.clear();
        is_pending_ = true;
        is_pending_text_ = !may_begin_json(data);
        ready_ = false;
    } else {
        if (pending_.size() + 1 + data.size() > options_.max_record_bytes) {
            if (is_pending_text_) return end_event(); // words: the beginning says enough
            fail_oversized(pending_.view().text);
            return false;
        }
        pending_.append("\n");
    }
    pending_.append(data);
    return true;
}

bool openai_stream::end_event() {
    const bool was_error = std::exchange(is_error_event_, false);
    ready_ = !state_.finished && !body_.gathering();
    is_pending_text_ = false;
    if (!std::exchange(is_pending_, false)) return true;
    const record_view event = pending_.view();
    if (was_error) {
        ++state_.records;
        fail_server_error(is_error, parse_error_body(event.text));
        return false;
    }
    const outcome result = read(event, true);
    if (result != outcome::not_json) return result == outcome::taken;
    ++state_.records;
    fail_not_json(event.text, json_fault_);
    return false;
}

bool openai_stream::on_end_mark() {
    ready_ = false;
    if (state_.records != 0 && state_.records == state_.skipped_records) {
        fail_early_end(end_mark, "'choices', 'usage' or 'error'");
        return false;
    }
    complete();
    return true;
}

void openai_stream::take(const plain_openai_record& record) {
    ++state_.records;
    if (record.t_ns != 0) note_send_time(record.t_ns);
    if (record.index == last_index_) {
        note_same_index();
    } else if (record.index != no_index && !choice_counts(record.index)) {
        ++state_.other_choice_records;
        return;
    }
    add_content(record.content.text, record.content.reasoning);
}

openai_stream::outcome openai_stream::read(record_view event, bool framed) {
    openai_record_reader reader(options_.keep_text, choice_to_read());
    openai_record record;
    try {
        if (read_object(event, [&](simdjson::ondemand::object object) { reader.read(object, record); }))
            ++state_.broken_characters;
    } catch (const simdjson::simdjson_error& error) {
        ++state_.records;
        if (fail_if_json(reader.field(), event.text)) return outcome::failed;
        --state_.records;
        json_fault_ = simdjson::error_message(error.error());
        return outcome::not_json;
    }
    ++state_.records;
    return apply(record, event.text, framed) ? outcome::taken : outcome::failed;
}

bool openai_stream::apply(const openai_record& record, std::string_view event, bool framed) {
    if (record.t_ns != 0) note_send_time(record.t_ns);
    const bool has_usage = record.completion_tokens || record.prompt_tokens;
    if (record.suspect || (record.choices == 0 && !has_usage)) {
        if (const auto words = error_in(event, record.choices != 0)) {
            fail_server_error(is_error, *words);
            return false;
        }
    }
    if (!record.known) {
        skip_record(event);
        return true;
    }
    if (!framed) {
        const bool is_whole = record.has_message || (record.has_text && !record.finish_reason.empty());
        if (is_whole && state_.content_records == 0) {
            fail(stream_error_kind::protocol, "the server did not stream: it sent the whole answer as one JSON body",
                 event);
            return false;
        }
        ++state_.unframed_records;
    }
    if (record.index && *record.index == last_index_) note_same_index();
    const bool counts =
        record.counts && (!record.index || *record.index == last_index_ || choice_counts(*record.index));
    state_.other_choice_records += record.choices - (counts ? 1 : 0);
    if (counts) {
        const record_content& content = record.content;
        add_content(content.text, content.reasoning, content.tool_call_bytes);
        state_.skipped_parts += content.skipped_parts;
        if (!record.finish_reason.empty()) {
            state_.figures.finish_reason = record.finish_reason;
            if (record.index) settle_on(*record.index);
        }
    }
    add_count(state_.figures.prompt_tokens, record.prompt_tokens);
    add_count(state_.figures.completion_tokens, record.completion_tokens);
    add_count(state_.figures.reasoning_tokens, record.reasoning_tokens);
    note_unreadable(record.figures.unreadable());
    return true;
}

/// Whether a piece with an index other than the last one's belongs to the one choice. Some servers count the index up
/// with each token.
bool openai_stream::choice_counts(std::int64_t index) {
    if (is_settled_) return index == last_index_;
    if (first_index_ == no_index) first_index_ = index;
    if (highest_index_ == no_index || index > highest_index_) {
        last_index_ = highest_index_ = index;
        same_index_ = 0;
        return true;
    }
    settle_on(first_index_); // an index came back: there are two choices
    return index == first_index_;
}

/// An index that repeats does not count up with the tokens. Once is not enough: the first record, with the role, may
/// have the index of the first token.
void openai_stream::note_same_index() noexcept {
    constexpr int stays = 3;
    if (!is_settled_ && last_index_ != no_index && ++same_index_ == stays) is_settled_ = true;
}

void openai_stream::settle_on(std::int64_t index) noexcept {
    is_settled_ = true;
    last_index_ = index;
}

std::optional<std::int64_t> openai_stream::choice_to_read() const noexcept {
    if (last_index_ == no_index) return std::nullopt;
    return is_settled_ ? last_index_ : first_index_;
}

} // namespace chimera::host
