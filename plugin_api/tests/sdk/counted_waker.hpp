// A waker that counts its references and wakes.
#pragma once

#include <atomic>

#include "chimera/abi/waker.h"

struct counted_waker final : chm_waker {
    std::atomic<int> references{0};
    std::atomic<unsigned> wakes{0};

    counted_waker() noexcept : chm_waker{&vtable} {}

  private:
    static counted_waker& self(chm_waker* w) noexcept { return *static_cast<counted_waker*>(w); }
    static chm_waker* clone(chm_waker* w) noexcept {
        ++self(w).references;
        return w;
    }
    static void wake(chm_waker* w) noexcept {
        ++self(w).wakes;
        --self(w).references;
    }
    static void wake_by_ref(chm_waker* w) noexcept { ++self(w).wakes; }
    static void drop(chm_waker* w) noexcept { --self(w).references; }
    static constexpr chm_waker_vt vtable{clone, wake, wake_by_ref, drop};
};
