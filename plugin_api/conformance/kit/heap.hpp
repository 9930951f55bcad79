// The proof that memory does not grow.
#pragma once

#include <malloc.h>

#include "scale.hpp"

namespace chimera::conformance {

/// Bytes in use on the heap (all arenas of the C library); 0 where a sanitizer replaces the allocator.
inline std::size_t heap_bytes() noexcept {
    if (sanitized) return 0;
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

} // namespace chimera::conformance
