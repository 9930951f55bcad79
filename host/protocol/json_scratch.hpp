#pragma once

#include "protocol/padded_buffer.hpp"

#include <simdjson.h>

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

  private:
    simdjson::ondemand::parser parser_;
    padded_buffer copy_;
};

/// To be called when all of the record has been read: throws simdjson::simdjson_error if anything stands behind it.
void require_end(simdjson::ondemand::document& document);

} // namespace chimera::host
