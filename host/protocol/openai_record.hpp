#pragma once

#include "protocol/json_record.hpp"
#include "protocol/plain_json.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chimera::host {

/// One piece of text or reasoning of one choice, and nothing else: nearly all records are of this kind.
struct plain_openai_record {
    static constexpr std::int64_t no_index = INT64_MIN;

    plain_content content;
    std::int64_t index = no_index; ///< of the choice; no_index: none was given
    std::int64_t t_ns = 0;
};

/// Reads such a record. False: it is a record of another kind, and the content of `record` means nothing.
bool read_plain(record_view event, plain_openai_record& record);

/// A record of any kind, as read. It is applied to the stream only after all of it was read as JSON.
struct openai_record {
    record_content content;
    std::string finish_reason;
    std::optional<std::int64_t> index; ///< of the choice with this content
    std::uint32_t choices = 0;
    bool counts = false;      ///< there is a choice, and it is the one to be read
    bool has_message = false; ///< `message` in place of `delta`, as in an answer that is not streamed
    bool has_text = false;    ///< `text`: /v1/completions, streamed or not
    bool known = false;       ///< has a field that makes it a record of this API
    bool suspect = false;     ///< has a field that may report an error
    std::optional<std::uint64_t> prompt_tokens, completion_tokens, reasoning_tokens;
    figure_reader figures;
    std::int64_t t_ns = 0;
};

class openai_record_reader {
  public:
    /// chosen: the index of the choice to read if a record has several; nothing: the lowest.
    openai_record_reader(bool decode, std::optional<std::int64_t> chosen) noexcept : decode_(decode), chosen_(chosen) {}

    /// `record` is new in the first call; a later call starts over. Throws simdjson::simdjson_error; field() is then
    /// the faulty field, if any.
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
