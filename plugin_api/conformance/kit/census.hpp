// What the process holds: the proof that a case leaked nothing.
#pragma once

#include <map>
#include <string>

namespace chimera::conformance {

/// The descriptors and threads of this process at one moment.
struct census {
    std::map<int, std::string> descriptors; ///< number -> what it is, as /proc/self/fd says
    std::size_t threads = 0;

    static census take();
    /// Empty when `after` holds no more than this; otherwise what is left over.
    std::string left_over(const census& after) const;
};

/// Bytes in use on the heap (all arenas of the C library); 0 where a sanitizer replaces the allocator.
std::size_t heap_bytes() noexcept;

} // namespace chimera::conformance
