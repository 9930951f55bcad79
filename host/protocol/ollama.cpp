#include "protocol/llm_stream.hpp"

#include "protocol/error_body.hpp"
#include "protocol/excerpt.hpp"
#include "protocol/json_record.hpp"
#include "protocol/plain_json.hpp"

#include <utility>

namespace chimera::host {

namespace {

namespace od = simdjson::ondemand;

/// A record with text and nothing else, as all but the last are.
struct plain_ollama_record {
    plain_content content;
    std::int64_t t_ns = 0;
};

/// Reads such a record. False: it is a record of another kind, and the content of `record` means nothing.
bool read_plain(record_view line, plain_ollama_record& record) {
    plain_json json(line);
    bool known = false;
    const auto message_field = [&](std::string_view key) {
        if (key == "content") return record.content.read_text(json);
        if (key == "role") return json.skip();
        if (key == "thinking") return record.content.read_reasoning(json);
        if (key == "tool_calls" || key == "images") return json.null();
        return false;
    };
    const auto field = [&](std::string_view key) {
        bool done = false;
        known = known || key == "response" || key == "done" || key == "thinking" || key == "message";
        if (key == "response") return record.content.read_text(json);
        if (key == "message") return json.object(message_field);
        if (key == "done") return json.boolean(done) && !done;
        if (key == "t_ns") return json.integer(record.t_ns);
        if (key == "thinking") return record.content.read_reasoning(json);
        if (key == "model" || key == "created_at") return json.skip();
        return false; // errors, figures, unknown fields
    };
    return json.object(field) && known && json.at_end();
}

/// A record of any kind, as read. It is applied to the stream only after all of it was read as JSON.
struct ollama_record {
    record_content content;
    bool known = false;   ///< has a field that makes it a record of this API
    bool suspect = false; ///< has a field that may report an error
    bool done = false;
    std::int64_t t_ns = 0;
    server_figures figures;
    figure_reader figure;
};

struct record_reader {
    content_reader content;
    std::string_view field{}; ///< being read; named in errors
    bool begun = false;

    /// `record` is new in the first call; a later call starts over.
    void read(od::object object, ollama_record& record) {
        if (std::exchange(begun, true)) record = {};
        field = content.field = {};
        for (auto entry : object) {
            field = entry.unescaped_key();
            content.field = {};
            read_field(entry.value(), record);
        }
    }

    std::string_view where() const { return content.field.empty() ? field : content.field; }

    void read_field(od::value value, ollama_record& record) {
        server_figures& figures = record.figures;
        if (field == "message") { // a text here is an error message
            if (od::json_type(value.type()) != od::json_type::object) return;
            record.known = true;
            content.read_message(value.get_object(), record.content);
        } else if (field == "response" || field == "thinking" || field == "done") {
            record.known = true;
            if (value.is_null()) return;
            if (field == "response")
                content.read_text(value, record.content);
            else if (field == "thinking")
                content.read_reasoning(value, record.content);
            else
                record.done = value.get_bool();
        } else if (field == "t_ns") {
            record.t_ns = value.get_int64();
        } else if (is_error_field(field) || field == "base_resp") {
            record.suspect = record.suspect || !value.is_null();
        } else if (field == "done_reason") {
            if (od::json_type(value.type()) == od::json_type::string)
                figures.finish_reason = std::string_view(value.get_string());
        } else {
            read_figure(value, record);
        }
    }

    void read_figure(od::value value, ollama_record& record) const {
        server_figures& figures = record.figures;
        if (field == "prompt_eval_count") {
            record.figure.count(field, value.raw_json_token(), figures.prompt_tokens);
        } else if (field == "eval_count") {
            record.figure.count(field, value.raw_json_token(), figures.completion_tokens);
        } else if (field == "total_duration") {
            record.figure.duration(field, value.raw_json_token(), figures.total_ns);
        } else if (field == "load_duration") {
            record.figure.duration(field, value.raw_json_token(), figures.load_ns);
        } else if (field == "prompt_eval_duration") {
            record.figure.duration(field, value.raw_json_token(), figures.prompt_eval_ns);
        } else if (field == "eval_duration") {
            record.figure.duration(field, value.raw_json_token(), figures.eval_ns);
        }
    }
};

} // namespace

void ollama_stream::reset() {
    reset_body();
    begun_ = false;
}

feed_result ollama_stream::feed(std::string_view chunk) {
    split<line_splitter::ends::lf>(chunk, [this](record_view line) { return on_line(line); });
    return chunk_;
}

feed_result ollama_stream::finish() {
    chunk_ = {};
    if (!state_.error) lines_.flush([this](record_view line) { return on_line(line); });
    if (!state_.error && !state_.finished && body_.gathering()) fail_whole_body();
    if (!state_.finished) fail_early_end("a final record (\"done\":true)", "'response', 'message', 'done' or 'error'");
    tell();
    return chunk_;
}

bool ollama_stream::on_line(record_view line) {
    plain_ollama_record record;
    if (state_.finished || body_.gathering() || !read_plain(line, record)) return on_rare_line(line);
    ++state_.records;
    if (record.t_ns != 0) note_send_time(record.t_ns);
    add_content(record.content.text, record.content.reasoning);
    return true;
}

bool ollama_stream::on_rare_line(record_view line) {
    if (!begun_) {
        begun_ = true;
        if (state_.records == 0) line.text = without_byte_order_mark(line.text);
    }
    const std::string_view text = trimmed(line.text);
    if (text.empty()) return true;
    if (body_.gathering()) return gather(line.text);
    constexpr std::string_view data = "data:";
    if (text.starts_with(data)) {
        line.text.remove_prefix(line.text.find(data) + data.size());
        const std::string_view value = trimmed(line.text);
        if (value.empty() || value == "[DONE]") return true;
        if (!state_.finished) ++state_.framed_records;
    } else if (text.front() == ':' || text.starts_with("event:") || text.starts_with("id:") ||
               text.starts_with("retry:")) {
        return true;
    }
    if (!state_.finished) return on_record(line);
    pass_over();
    return true;
}

bool ollama_stream::on_record(record_view line) {
    record_reader reader{content_reader(options_.keep_text)};
    ollama_record record;
    ++state_.records;
    try {
        if (read_object(line, [&](od::object object) { reader.read(object, record); })) ++state_.broken_characters;
    } catch (const simdjson::simdjson_error& error) {
        if (fail_if_json(reader.where(), line.text)) return false;
        if (state_.records == 1 && whole_body::begins_with(line.text)) {
            --state_.records;
            return gather(line.text);
        }
        fail_not_json(line.text, error.what());
        return false;
    }
    if (record.t_ns != 0) note_send_time(record.t_ns);
    if (record.suspect || !record.known) {
        if (const auto words = error_in(line.text, record.known)) {
            fail_server_error("the server reports an error", *words);
            return false;
        }
        if (!record.known) {
            skip_record(line.text);
            return true;
        }
    }
    const record_content& content = record.content;
    add_content(content.text, content.reasoning, content.tool_call_bytes);
    state_.skipped_parts += content.skipped_parts;
    if (!record.done) return true;
    state_.figures = std::move(record.figures);
    note_unreadable(record.figure.unreadable());
    complete();
    return true;
}

} // namespace chimera::host
