// How a script wants its stream to end, told to what stands between it and the wire.
#pragma once

#include <atomic>

namespace chimera::conformance {

/// Set before the script's end of the stream is closed; read after that was seen.
struct stream_end {
    std::atomic<bool> reset{false}; ///< by a reset of the connection instead of a proper close
};

} // namespace chimera::conformance
