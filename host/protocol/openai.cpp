#include "protocol/openai.hpp"

#include "protocol/json_scratch.hpp"
#include "protocol/plain_json.hpp"

#include <optional>

namespace chimera::host {

namespace {

namespace od = simdjson::ondemand;

/// A record as read. Nothing of it is applied to the stream before all of it has proved to be JSON.
struct openai_record {
    std::string_view content, reasoning, finish_reason;
    bool known = false; ///< has a field that makes it a record of this API
    std::optional<std::uint64_t> prompt_tokens, completion_tokens;
    std::int64_t t_ns = 0;
    bool is_error = false; ///< {"object":"error", "message":...}: an error without an envelope
    std::string_view error, message;
};

struct record_reader {
    bool decode;
    std::string_view field{}; ///< being read: named in errors
    openai_record record{};

    void read(od::object object) {
        for (auto entry : object) {
            field = entry.unescaped_key();
            read_field(entry.value());
        }
    }

    void read_field(od::value value) {
        if (field == "choices") {
            record.known = true;
            if (!value.is_null()) read_choices(value.get_array());
        } else if (field == "usage") {
            record.known = true;
            if (!value.is_null()) read_usage(value.get_object());
        } else if (field == "t_ns") {
            record.t_ns = value.get_int64();
        } else if (field == "error") {
            if (!value.is_null()) read_error(value);
        } else if (field == "object") {
            record.is_error = text_of(value) == "error";
        } else if (field == "message") {
            record.message = text_of(value);
        }
    }

    void read_choices(od::array choices) {
        for (auto element : choices) {
            openai_record piece;
            std::uint64_t index = 0;
            od::object choice = element.get_object();
            for (auto entry : choice) {
                field = entry.unescaped_key();
                od::value value = entry.value();
                if (field == "index") {
                    index = value.get_uint64();
                } else if (field == "delta") {
                    if (!value.is_null()) read_delta(value.get_object(), piece);
                } else if (field == "finish_reason") {
                    if (!value.is_null()) piece.finish_reason = value.get_string();
                }
            }
            if (index != 0) continue; // only one choice is asked for
            record.content = piece.content;
            record.reasoning = piece.reasoning;
            record.finish_reason = piece.finish_reason;
        }
    }

    void read_delta(od::object delta, openai_record& piece) {
        for (auto entry : delta) {
            field = entry.unescaped_key();
            od::value value = entry.value();
            if (field == "content") {
                piece.content = content_of(value);
            } else if (field == "reasoning_content" || field == "reasoning") {
                // Servers that changed the name send the same text under both.
                const auto text = content_of(value);
                if (!text.empty()) piece.reasoning = text;
            }
        }
    }

    /// The text of a string field, or only as much of it as tells that it is not empty.
    std::string_view content_of(od::value value) const {
        if (value.is_null()) return {};
        if (decode) return value.get_string();
        const char* raw = od::raw_json_string(value.get_raw_json_string()).raw();
        return *raw == '"' ? std::string_view{} : std::string_view{raw, 1};
    }

    /// The text of a field that may well hold something else, which then does not count.
    static std::string_view text_of(od::value value) {
        if (od::json_type(value.type()) != od::json_type::string) return {};
        return value.get_string();
    }

    void read_usage(od::object usage) {
        for (auto entry : usage) {
            field = entry.unescaped_key();
            if (field == "prompt_tokens") {
                record.prompt_tokens = uint64_t(entry.value().get_uint64());
            } else if (field == "completion_tokens") {
                record.completion_tokens = uint64_t(entry.value().get_uint64());
            }
        }
    }

    void read_error(od::value value) {
        const auto type = od::json_type(value.type());
        if (type == od::json_type::string) {
            record.error = value.get_string();
        } else if (type == od::json_type::object) {
            od::object error = value.get_object();
            for (auto entry : error) {
                field = entry.unescaped_key();
                od::value part = entry.value();
                if (field == "message") record.error = text_of(part);
            }
        }
        if (record.error.empty()) record.error = "no message given";
    }
};

/// Reads a record that brings a piece of the reply and nothing else, as all but the last ones do. False: `record` is as
/// good as not read.
bool read_plain(record_view event, openai_record& record) {
    plain_json json(event);
    openai_record piece;
    const auto delta_field = [&](std::string_view key) {
        if (key == "content") return json.string_or_null(piece.content);
        if (key == "role" || key == "refusal") return json.skip();
        return false; // reasoning under either name, tool calls
    };
    std::int64_t index = 0;
    const auto choice_field = [&](std::string_view key) {
        if (key == "index") return json.integer(index) && index == 0; // only one choice is asked for
        if (key == "delta") return json.object(delta_field);
        if (key == "finish_reason" || key == "logprobs") return json.null();
        return false;
    };
    const auto field = [&](std::string_view key) {
        if (key == "choices") {
            record.known = true;
            return json.array([&] {
                piece = {};
                if (!json.object(choice_field)) return false;
                record.content = piece.content;
                return true;
            });
        }
        if (key == "usage") { // asked for: it comes with the last record, and from some servers as null with all others
            record.known = true;
            return json.null();
        }
        if (key == "t_ns") return json.integer(record.t_ns);
        if (key == "object") {
            std::string_view type;
            return json.string(type) && type != "error";
        }
        if (key == "id" || key == "created" || key == "model" || key == "system_fingerprint" || key == "service_tier")
            return json.skip();
        return false; // errors, what one does not know
    };
    return json.object(field) && json.at_end();
}

} // namespace

void openai_stream::reset() {
    reset_body();
    in_place_ = {};
    copied_.release();
    has_data_ = is_copied_ = false;
}

feed_result openai_stream::feed(std::string_view chunk) {
    split(chunk, [this](record_view line, bool in_chunk) { return on_line(line, in_chunk); });
    keep_event();
    return chunk_;
}

feed_result openai_stream::finish() {
    chunk_ = {};
    if (!state_.error) {
        lines_.flush([this](record_view line, bool in_chunk) { return on_line(line, in_chunk); });
        if (!state_.error) end_event();
    }
    if (!state_.finished) fail_early_end("[DONE]");
    chunk_.finished = state_.finished;
    chunk_.failed = state_.error.has_value();
    return chunk_;
}

bool openai_stream::on_line(record_view line, bool in_chunk) {
    if (line.text.empty()) return end_event();
    const std::size_t colon = line.text.find(':');
    if (line.text.substr(0, colon) == "data") {
        std::size_t skip = colon == std::string_view::npos ? line.text.size() : colon + 1;
        if (skip < line.text.size() && line.text[skip] == ' ') ++skip;
        line.text.remove_prefix(skip);
        return on_data(line, in_chunk);
    }
    const std::string_view name = line.text.substr(0, colon);
    if (name.empty() || name == "event" || name == "id" || name == "retry") return true;
    // The standard lets a client ignore unknown fields. A body that is JSON or HTML must not pass as an empty stream.
    ++state_.records;
    fail(stream_error_kind::garbage, "not a line of a server-sent event", line.text);
    return false;
}

bool openai_stream::on_data(record_view data, bool in_chunk) {
    if (!has_data_) {
        has_data_ = true;
        in_place_ = data;
        is_copied_ = false;
        if (!in_chunk) keep_event();
        return true;
    }
    keep_event();
    if (copied_.size() + 1 + data.text.size() > options_.max_record_bytes) {
        fail_oversized(copied_.view().text);
        return false;
    }
    copied_.append("\n");
    copied_.append(data.text);
    return true;
}

/// Moves an event that lies in a chunk, or in the buffer of a line that spans chunks, to where it survives them.
void openai_stream::keep_event() {
    if (!has_data_ || is_copied_) return;
    copied_.clear();
    copied_.append(in_place_.text);
    is_copied_ = true;
}

bool openai_stream::end_event() {
    if (!has_data_) return true;
    has_data_ = false;
    return on_event(is_copied_ ? copied_.view() : in_place_);
}

bool openai_stream::on_event(record_view event) {
    if (event.text.empty()) return true;
    if (event.text == "[DONE]" && !state_.finished) {
        state_.finished = true;
        return true;
    }
    ++state_.records;
    if (state_.finished) {
        fail(stream_error_kind::protocol, "data after [DONE]", event.text);
        return false;
    }
    openai_record record;
    if (!read_plain(event, record)) {
        record_reader reader{options_.keep_text};
        try {
            od::document document = json_scratch::of_this_thread().open(event);
            reader.read(document.get_object());
            require_end(document);
        } catch (const simdjson::simdjson_error& error) {
            fail_json(error, reader.field, event.text);
            return false;
        }
        record = reader.record;
    }
    if (record.t_ns != 0) note_send_time(record.t_ns);
    if (!record.error.empty() || record.is_error) {
        fail(stream_error_kind::server_error, "the server reports an error",
             record.error.empty() ? record.message : record.error);
        return false;
    }
    if (!record.known) {
        fail(stream_error_kind::protocol, "no 'choices', 'usage' or 'error' in the record", event.text);
        return false;
    }
    add_content(record.content, record.reasoning);
    if (!record.finish_reason.empty()) state_.figures.finish_reason = record.finish_reason;
    if (record.prompt_tokens) state_.figures.prompt_tokens = record.prompt_tokens;
    if (record.completion_tokens) state_.figures.completion_tokens = record.completion_tokens;
    return true;
}

} // namespace chimera::host
