// A task for cases that count bytes.
#pragma once

#include <atomic>

#include "chimera/abi.h"
#include "chimera/sdk/waker.hpp"

namespace chimera::conformance {

/// A task without memory of its own, to be spawned again and again: ready at its first poll, in which it clones its
/// waker.
struct bare_task : chm_task {
    bare_task() noexcept : chm_task{&vtable} {}
    std::atomic<bool> free{true}; ///< nobody has it: to be set to false before it is spawned
    static constexpr chm_task_vt vtable{
        [](chm_task*, chm_waker* w) noexcept -> chm_rc {
            const sdk::waker kept = sdk::waker::clone(w);
            return CHM_READY;
        },
        [](chm_task* t) noexcept { static_cast<bare_task*>(t)->free = true; },
    };
};

} // namespace chimera::conformance
