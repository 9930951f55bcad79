#include "protocol/ollama.hpp"

#include "protocol/json_scratch.hpp"
#include "protocol/plain_json.hpp"

#include <optional>
#include <utility>

namespace chimera::host {

namespace {

namespace od = simdjson::ondemand;

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

/// A record as read. Nothing of it is applied to the stream before all of it has proved to be JSON.
struct ollama_record {
    std::string_view response, thinking;
    bool known = false; ///< has at least one of the fields that make it a record of this API
    bool done = false;
    std::int64_t t_ns = 0;
    std::string_view error;
    std::optional<server_figures> figures; ///< not of a record that only brings text
};

/// The text of a string field, or only as much of it as tells that it is not empty.
std::string_view content_of(od::value value, bool decode) {
    if (value.is_null()) return {};
    if (decode) return value.get_string();
    const char* raw = od::raw_json_string(value.get_raw_json_string()).raw();
    return *raw == '"' ? std::string_view{} : std::string_view{raw, 1};
}

void read_field(std::string_view key, od::value value, bool decode, ollama_record& record) {
    if (key == "response") {
        record.response = content_of(value, decode);
        record.known = true;
    } else if (key == "thinking") {
        record.thinking = content_of(value, decode);
        record.known = true;
    } else if (key == "done") {
        record.done = value.get_bool();
        record.known = true;
    } else if (key == "t_ns") {
        record.t_ns = value.get_int64();
    } else if (key == "error") {
        if (value.is_null()) return;
        const bool is_text = od::json_type(value.type()) == od::json_type::string;
        record.error =
            is_text ? std::string_view(value.get_string()) : std::string_view(simdjson::to_json_string(value));
        record.known = true;
    } else if (key == "done_reason") {
        if (!value.is_null()) record.figures->finish_reason = std::string_view(value.get_string());
    } else if (key == "prompt_eval_count") {
        record.figures->prompt_tokens = uint64_t(value.get_uint64());
    } else if (key == "eval_count") {
        record.figures->completion_tokens = uint64_t(value.get_uint64());
    } else if (key == "total_duration") {
        record.figures->total_ns = int64_t(value.get_int64());
    } else if (key == "load_duration") {
        record.figures->load_ns = int64_t(value.get_int64());
    } else if (key == "prompt_eval_duration") {
        record.figures->prompt_eval_ns = int64_t(value.get_int64());
    } else if (key == "eval_duration") {
        record.figures->eval_ns = int64_t(value.get_int64());
    }
}

/// Reads a record that brings text and nothing else, as all but the last do. False: `record` is as good as not read.
bool read_plain(record_view line, ollama_record& record) {
    plain_json json(line);
    const auto field = [&](std::string_view key) {
        record.known = record.known || key == "response" || key == "done" || key == "thinking";
        if (key == "response") return json.string_or_null(record.response);
        if (key == "done") return json.boolean(record.done) && !record.done;
        if (key == "t_ns") return json.integer(record.t_ns);
        if (key == "thinking") return json.string_or_null(record.thinking);
        if (key == "model" || key == "created_at") return json.skip();
        return false; // errors, figures, what one does not know
    };
    return json.object(field) && json.at_end();
}

/// Reads any record. Throws simdjson::simdjson_error; `key` is then the field that it did so in, if any.
[[gnu::noinline]] ollama_record read_record(record_view line, bool decode, std::string_view& key) {
    ollama_record record;
    record.figures.emplace();
    od::document document = json_scratch::of_this_thread().open(line);
    od::object object = document.get_object();
    for (auto field : object) {
        key = field.unescaped_key();
        read_field(key, field.value(), decode, record);
    }
    require_end(document);
    return record;
}

} // namespace

feed_result ollama_stream::feed(std::string_view chunk) {
    split(chunk, [this](record_view line, bool) { return on_line(line); });
    return chunk_;
}

feed_result ollama_stream::finish() {
    chunk_ = {};
    if (!state_.error) lines_.flush([this](record_view line, bool) { return on_line(line); });
    if (!state_.finished) fail_early_end("a final record (\"done\":true)");
    chunk_.finished = state_.finished;
    chunk_.failed = state_.error.has_value();
    return chunk_;
}

bool ollama_stream::on_line(record_view line) {
    if (is_blank(line.text)) return true;
    ++state_.records;
    if (state_.finished) {
        fail(stream_error_kind::protocol, "a record after the final one", line.text);
        return false;
    }
    ollama_record record;
    if (!read_plain(line, record)) {
        std::string_view key;
        try {
            record = read_record(line, options_.keep_text, key);
        } catch (const simdjson::simdjson_error& error) {
            fail_json(error, key, line.text);
            return false;
        }
    }
    if (!record.known) {
        fail(stream_error_kind::protocol, "no 'response', 'done' or 'error' in the record of /api/generate", line.text);
        return false;
    }
    if (record.t_ns != 0) note_send_time(record.t_ns);
    if (!record.error.empty()) {
        fail(stream_error_kind::server_error, "the server reports an error", record.error);
        return false;
    }
    add_content(record.response, record.thinking);
    if (record.done) {
        state_.figures = std::move(*record.figures);
        state_.finished = true;
    }
    return true;
}

} // namespace chimera::host
