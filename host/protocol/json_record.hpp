// One JSON record, read with simdjson: the thread's parser, repair of broken characters, content and figures.
#pragma once

#include "protocol/line_splitter.hpp"

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chimera::host {

/// The JSON parser of a thread, and the buffer for records that lie too close to the end of their chunk to be parsed in
/// place. One for each thread, not for each stream: a record is parsed within one call, so thousands of streams need no
/// memory of their own.
class json_scratch {
  public:
    static json_scratch& of_this_thread();

    /// Begins to read `record`. Strings of the document live until the next open on this thread. Throws
    /// simdjson::simdjson_error.
    simdjson::ondemand::document open(record_view record);

    /// Replaces by U+FFFD each half of a surrogate pair in the record's escapes, and each byte in its strings that is
    /// not UTF-8. `record` then is a copy that lives until the next repair on this thread. False: nothing is broken.
    bool repair(record_view& record);

    std::string text, reasoning;           ///< content that comes in several strings is joined here
    std::string kept_text, kept_reasoning; ///< and kept here while another choice of the record is read

  private:
    simdjson::ondemand::parser parser_;
    padded_buffer copy_, repaired_;
};

/// Call it after all of the record has been read: throws simdjson::simdjson_error if anything follows the record.
void require_end(simdjson::ondemand::document& document);

/// Whether a string of the record has an escape of (half) a surrogate pair. Only then can there be a half alone, of
/// which the parser would make bytes that are not UTF-8.
bool has_surrogate_escape(std::string_view record) noexcept;

/// Opens `record` and calls `read(object)`, which reads all of it, and starts over when it is called again: a record
/// with broken characters is read from a repaired copy, and `record` becomes a view of that copy. Returns whether it
/// was repaired. Throws simdjson::simdjson_error.
template <class F>
bool read_object(record_view& record, F&& read) {
    json_scratch& scratch = json_scratch::of_this_thread();
    bool repaired = has_surrogate_escape(record.text) && scratch.repair(record);
    for (;;) {
        try {
            simdjson::ondemand::document document = scratch.open(record);
            read(document.get_object());
            require_end(document);
            return repaired;
        } catch (const simdjson::simdjson_error& error) {
            if (repaired || error.error() != simdjson::UTF8_ERROR || !scratch.repair(record)) throw;
            repaired = true;
        }
    }
}

/// A record's piece of the reply. Views of the record or of the thread's json_scratch; valid until the next record is
/// read.
struct record_content {
    std::string_view text, reasoning;
    std::uint64_t tool_call_bytes = 0; ///< of names and arguments
    std::uint64_t skipped_parts = 0;   ///< neither text nor reasoning
};

/// Reads content in all the forms that servers send: a string, null, an array of parts, pieces of tool calls. Throws
/// simdjson::simdjson_error; `field` is then the faulty one.
class content_reader {
  public:
    /// decode = false: of a string, only whether it is empty matters.
    explicit content_reader(bool decode) noexcept : decode_(decode) {}

    /// Reads a delta (OpenAI) or a message (Ollama's chat, proxies).
    void read_message(simdjson::ondemand::object message, record_content& to);
    /// Appends text.
    void read_text(simdjson::ondemand::value value, record_content& to);
    /// Replaces the reasoning: servers that renamed the field send the same text under both names.
    void read_reasoning(simdjson::ondemand::value value, record_content& to);

    std::string_view field{}; ///< being read

  private:
    struct gathered;

    std::string_view string_of(simdjson::ondemand::value value) const;
    void gather(simdjson::ondemand::value value, bool as_reasoning, int depth, gathered& to);
    void gather_part(simdjson::ondemand::object part, bool as_reasoning, int depth, gathered& to);
    void read_tool_calls(simdjson::ondemand::value value, int depth, record_content& to);

    bool decode_;
};

/// Reads the figures of a server's record. A bad figure is reported and does not fail the reply.
class figure_reader {
  public:
    static constexpr std::int64_t most_tokens = 1'000'000'000'000, most_ns = 1'000'000'000'000'000'000;

    /// `token`: a value as raw JSON ("20", "20.0", "null"). A later count replaces an earlier one, except that 0
    /// replaces nothing.
    void count(std::string_view name, std::string_view token, std::optional<std::uint64_t>& figure);
    /// A duration in nanoseconds.
    void duration(std::string_view name, std::string_view token, std::optional<std::int64_t>& figure);

    /// The first figure that was not taken ("eval_count: -1"); empty if there was none.
    const std::string& unreadable() const noexcept { return unreadable_; }

  private:
    std::optional<std::int64_t> read(std::string_view name, std::string_view token, std::int64_t most);

    std::string unreadable_;
};

/// Adds the figures of a later record to those of earlier ones, by the rule of figure_reader::count.
void add_count(std::optional<std::uint64_t>& figure, const std::optional<std::uint64_t>& later) noexcept;

} // namespace chimera::host
