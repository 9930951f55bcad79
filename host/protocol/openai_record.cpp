#include "protocol/openai_record.hpp"

#include "protocol/error_body.hpp"
#include "protocol/excerpt.hpp"

#include <charconv>
#include <utility>

namespace chimera::host {

namespace od = simdjson::ondemand;

bool read_plain(record_view event, plain_openai_record& record) {
    plain_json json(event);
    const auto delta_field = [&](std::string_view key) {
        if (key == "content") return record.content.read_text(json);
        if (key == "role") return json.skip();
        if (key == "reasoning_content" || key == "reasoning") return record.content.read_reasoning(json);
        if (key == "refusal" || key == "tool_calls" || key == "function_call") return json.null();
        return false;
    };
    const auto choice_field = [&](std::string_view key) {
        if (key == "index") return json.integer(record.index);
        if (key == "delta") return json.object(delta_field);
        if (key == "finish_reason" || key == "logprobs") return json.null();
        if (key == "text") return record.content.read_text(json);
        return false;
    };
    bool has_choice = false;
    const auto field = [&](std::string_view key) {
        if (key == "choices") {
            if (std::exchange(has_choice, true)) return false;
            int choices = 0;
            return json.array([&] { return ++choices == 1 && json.object(choice_field); }) && choices == 1;
        }
        // Comes with the last record; some servers send it as null in all others.
        if (key == "usage") return json.null();
        if (key == "t_ns") return json.integer(record.t_ns);
        if (key == "object") {
            std::string_view type;
            return json.string(type) && type != "error";
        }
        if (key == "id" || key == "created" || key == "model" || key == "system_fingerprint" || key == "service_tier")
            return json.skip();
        return false; // errors, unknown fields
    };
    return json.object(field) && has_choice && json.at_end();
}

namespace {

/// The JSON of a scalar. The parser's token includes the blanks after it.
std::string_view scalar(od::value value) { return trimmed(value.raw_json_token()); }

std::optional<std::int64_t> index_of(od::value value) {
    const std::string_view token = scalar(value);
    std::int64_t index = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
    if (error != std::errc() || end != token.data() + token.size()) return std::nullopt;
    return index;
}

/// A field for errors is null, false, 0 or "" when there is none. Any other value is looked at again.
bool may_be_error(od::value value) {
    const std::string_view token = scalar(value);
    return token != "null" && token != "false" && token != "0" && token != "\"\"";
}

bool is_the_word_error(od::value value) { return scalar(value) == "\"error\""; }

/// Moves the strings away: the next choice may be joined in the same buffers.
void keep(record_content& content) {
    json_scratch& scratch = json_scratch::of_this_thread();
    scratch.kept_text = content.text;
    scratch.kept_reasoning = content.reasoning;
    content.text = scratch.kept_text;
    content.reasoning = scratch.kept_reasoning;
}

} // namespace

struct openai_record_reader::choice {
    record_content content;
    std::string finish_reason;
    std::optional<std::int64_t> index;
};

void openai_record_reader::read(od::object object, openai_record& record) {
    if (std::exchange(begun_, true)) record = {};
    field_ = {};
    for (auto entry : object) {
        field_ = entry.unescaped_key();
        read_field(entry.value(), record);
    }
}

void openai_record_reader::read_field(od::value value, openai_record& record) {
    if (field_ == "choices") {
        record.known = true;
        if (!value.is_null()) read_choices(value, record);
    } else if (field_ == "object" || field_ == "type") {
        record.suspect = record.suspect || is_the_word_error(value);
    } else if (field_ == "usage") {
        record.known = true;
        read_usage(value, record);
    } else if (field_ == "t_ns") {
        record.t_ns = value.get_int64();
    } else if (field_ != "id" && field_ != "created" && field_ != "model" && field_ != "system_fingerprint") {
        read_rare_field(value, record);
    }
}

void openai_record_reader::read_rare_field(od::value value, openai_record& record) {
    if (field_ == "x_groq") {
        if (od::json_type(value.type()) != od::json_type::object) return;
        for (auto entry : value.get_object()) {
            field_ = entry.unescaped_key();
            if (field_ == "usage")
                read_usage(entry.value(), record);
            else if (field_ == "error")
                record.suspect = record.suspect || may_be_error(entry.value());
        }
    } else if (is_error_field(field_)) {
        record.suspect = record.suspect || may_be_error(value);
    } else if (field_ == "status" || field_ == "success") { // a word, or false
        const std::string_view token = scalar(value);
        record.suspect = record.suspect || token.starts_with('"') || token == "false";
    } else if (field_ == "base_resp") {
        if (od::json_type(value.type()) != od::json_type::object) return;
        for (auto entry : value.get_object())
            if (std::string_view(entry.unescaped_key()) == "status_code")
                record.suspect = record.suspect || may_be_error(entry.value());
    }
}

void openai_record_reader::read_choices(od::value value, openai_record& record) {
    std::uint32_t n = 0;
    for (auto element : value.get_array()) {
        choice piece;
        if (n == 1) keep(record.content);
        read_choice(element.get_object(), piece, record);
        if (n == 1 && !record.index) record.index = 0; // without an index, its place counts
        if (n != 0 && !piece.index) piece.index = n;
        if (n++ == 0) {
            record.counts = true;
            take_choice(piece, record);
            continue;
        }
        const bool better = chosen_ ? piece.index == chosen_ : piece.index < record.index;
        if (!better) continue;
        take_choice(piece, record);
        keep(record.content);
    }
    record.choices += n;
    if (n > 1 && chosen_ && record.index != chosen_) record.counts = false;
}

void openai_record_reader::take_choice(choice& piece, openai_record& record) {
    record.content = piece.content;
    record.finish_reason = std::move(piece.finish_reason);
    record.index = piece.index;
}

void openai_record_reader::read_choice(od::object object, choice& piece, openai_record& record) {
    content_reader reader(decode_);
    for (auto entry : object) {
        field_ = entry.unescaped_key();
        od::value value = entry.value();
        if (field_ == "index") {
            piece.index = index_of(value);
        } else if (field_ == "delta" || field_ == "message") {
            if (value.is_null()) continue;
            if (field_ == "message") record.has_message = true;
            try {
                reader.read_message(value.get_object(), piece.content);
            } catch (const simdjson::simdjson_error&) {
                if (!reader.field.empty()) field_ = reader.field;
                throw;
            }
        } else if (field_ == "text") {
            record.has_text = true;
            reader.read_text(value, piece.content);
        } else if (field_ == "usage") {
            read_usage(value, record);
        } else if (field_ == "finish_reason") {
            if (value.is_null()) continue;
            if (od::json_type(value.type()) == od::json_type::string)
                piece.finish_reason = std::string_view(value.get_string());
            else if (may_be_error(value))
                piece.finish_reason = std::string_view(simdjson::to_json_string(value));
        }
    }
}

void openai_record_reader::read_usage(od::value value, openai_record& record) {
    if (value.is_null()) return;
    if (od::json_type(value.type()) != od::json_type::object) {
        std::optional<std::uint64_t> none;
        record.figures.count("usage", value.raw_json_token(), none);
        return;
    }
    for (auto entry : value.get_object()) {
        field_ = entry.unescaped_key();
        od::value part = entry.value();
        if (field_ == "prompt_tokens" || field_ == "input_tokens") {
            record.figures.count(field_, part.raw_json_token(), record.prompt_tokens);
        } else if (field_ == "completion_tokens" || field_ == "output_tokens") {
            record.figures.count(field_, part.raw_json_token(), record.completion_tokens);
        } else if (field_ == "reasoning_tokens") {
            record.figures.count(field_, part.raw_json_token(), record.reasoning_tokens);
        } else if (field_ == "completion_tokens_details" || field_ == "output_tokens_details") {
            if (od::json_type(part.type()) != od::json_type::object) continue;
            for (auto detail : part.get_object()) {
                field_ = detail.unescaped_key();
                if (field_ == "reasoning_tokens")
                    record.figures.count(field_, detail.value().raw_json_token(), record.reasoning_tokens);
            }
        }
    }
}

} // namespace chimera::host
