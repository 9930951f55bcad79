#pragma once

#include "protocol/padded_buffer.hpp"

#include <simdjson.h>

#include <string>

namespace chimera::host {

/// The JSON parser of a thread and the buffer for records that lie too close to the end of their chunk to be parsed
/// where they are. One for each thread, not for each stream: a record is parsed within one call, so thousands of
/// streams need no memory of their own.
class json_scratch {
  public:
    static json_scratch& of_this_thread();

    /// Begins to read `record`. Strings taken from the document live until the next open on this thread.
    /// Throws simdjson::simdjson_error.
    simdjson::ondemand::document open(record_view record);

    /// Replaces by U+FFFD each half of a surrogate pair in the record's escapes and each byte in its strings that is
    /// not UTF-8. `record` is then a copy that lives until the next repair on this thread. False: nothing is broken.
    bool repair(record_view& record);

    std::string text, reasoning;           ///< where content that comes in several strings is joined
    std::string kept_text, kept_reasoning; ///< and kept while another choice of the record is read

  private:
    simdjson::ondemand::parser parser_;
    padded_buffer copy_, repaired_;
};

/// To be called when all of the record has been read: throws simdjson::simdjson_error if anything stands behind it.
void require_end(simdjson::ondemand::document& document);

/// Whether a string of the record has an escape of (half) a surrogate pair. Only then can it be one half, of which the
/// parser would make bytes that are not UTF-8.
bool has_surrogate_escape(std::string_view record) noexcept;

/// Opens `record` and calls `read(object)`, which reads all of it and begins anew when it is called again: a record
/// with broken characters is read from a repaired copy, which `record` is then a view of. True: that was so. Throws
/// simdjson::simdjson_error.
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

} // namespace chimera::host
