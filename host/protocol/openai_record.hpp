#pragma once

#include "protocol/figures.hpp"
#include "protocol/padded_buffer.hpp"
#include "protocol/plain_json.hpp"
#include "protocol/record_content.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chimera::host {

/// What nearly all records are: one piece of text or reasoning of one choice, and nothing else.
struct plain_openai_record {
    static constexpr std::int64_t no_index = INT64_MIN;

    std::string_view text, reasoning;
    std::int64_t index = no_index; ///< of the choice; no_index: none was given
    std::int64_t t_ns = 0;
    std::array<char, plain_json::longest> decoded; ///< what the above are views of, where they have escapes
};

/// Reads such a record. False: it is another, and `record` is as good as not read.
bool read_plain(record_view event, plain_openai_record& record);

/// Any record, as read. Nothing of it is applied to the stream before all of it has proved to be JSON.
struct openai_record {
    record_content content;
    std::string finish_reason;
    std::optional<std::int64_t> index; ///< of the choice that the above is of
    std::uint32_t choices = 0;
    bool counts = false;      ///< there is a choice, and it is not another than the one to be read
    bool has_message = false; ///< `message` in place of `delta`: what an answer that is not streamed has
    bool has_text = false;    ///< `text`: /v1/completions, streamed or not
    bool known = false;       ///< has a field that makes it a record of this API
    bool suspect = false;     ///< has a field that may tell of an error
    std::optional<std::uint64_t> prompt_tokens, completion_tokens, reasoning_tokens;
    figure_reader figures;
    std::int64_t t_ns = 0;
};

class openai_record_reader {
  public:
    /// chosen: the index of the choice to be read where a record has several; nothing: the lowest.
    openai_record_reader(bool decode, std::optional<std::int64_t> chosen) noexcept : decode_(decode), chosen_(chosen) {}

    /// `record` is a new one in the first call; later ones begin anew. Throws simdjson::simdjson_error; field() is then
    /// the one that it did so in, if any.
    void read(simdjson::ondemand::object object, openai_record& record);
    std::string_view field() const noexcept { return field_; }

  private:
    struct choice;

    void read_field(simdjson::ondemand::value value, openai_record& record);
    void read_rare_field(simdjson::ondemand::value value, openai_record& record);
    void read_choices(simdjson::ondemand::value value, openai_record& record);
    void read_choice(simdjson::ondemand::object object, choice& piece, openai_record& record);
    void read_usage(simdjson::ondemand::value value, openai_record& record);
    void take_choice(choice& piece, openai_record& record);

    bool decode_;
    std::optional<std::int64_t> chosen_;
    std::string_view field_{};
    bool begun_ = false;
};

} // namespace chimera::host
