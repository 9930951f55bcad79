#include "protocol/json_scratch.hpp"

#include <algorithm>

namespace chimera::host {

static_assert(record_padding >= simdjson::SIMDJSON_PADDING);

json_scratch& json_scratch::of_this_thread() {
    thread_local json_scratch scratch;
    return scratch;
}

simdjson::ondemand::document json_scratch::open(record_view record) {
    if (record.slack < record_padding) {
        copy_.clear();
        copy_.append(record.text);
        record = copy_.view();
    }
    // The parser by itself would grow to the very size of each longer record, that is, allocate again and again.
    if (parser_.capacity() < record.text.size()) {
        const std::size_t capacity = std::max({record.text.size(), parser_.capacity() * 2, std::size_t{4096}});
        if (const auto error = parser_.allocate(capacity)) throw simdjson::simdjson_error(error);
    }
    return parser_.iterate(record.text.data(), record.text.size(), record.text.size() + record.slack);
}

void require_end(simdjson::ondemand::document& document) {
    // At the end there is no location to give, and only there.
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
        throw simdjson::simdjson_error(simdjson::TAPE_ERROR);
    }
}

} // namespace chimera::host
