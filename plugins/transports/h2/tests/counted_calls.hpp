// What a thread has asked of malloc and of the kernel.
#pragma once

#include <cstdint>

namespace chimera::h2::test {

struct call_counts {
    std::uint64_t allocations = 0, receives = 0, sends = 0;
};
/// Of the calling thread. Under a sanitizer, which has an allocator of its own, allocations are not counted.
call_counts& calls() noexcept;

} // namespace chimera::h2::test
