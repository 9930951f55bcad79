// The stacks of one worker's fibers.
#pragma once

#include <cstddef>
#include <vector>

#include <chimera/sdk/task_cell.hpp>

namespace chimera::fiber {

/// A stack, and its worker's record of the fiber on it. The record lies at the top end of the stack's own memory, so
/// that a suspended fiber touches only one page where possible.
struct fiber_stack {
    std::byte* bottom = nullptr; ///< lowest address
    std::size_t size = 0;        ///< from bottom to this struct
    fiber_stack* next = nullptr; ///< list of the free stacks, or of the fibers
    fiber_stack* prev = nullptr; ///< list of the fibers
    void* context = nullptr;     ///< the boost::fibers::context of the fiber
    void* fake_stack = nullptr;  ///< AddressSanitizer's, while the fiber is suspended
    sdk::task_cell* cell = nullptr;
};

/// Stacks are mapped a few at a time, used again last in, first out, and given back when the pool goes. A guard page
/// lies below each as long as there are few: a guard costs two of the process's memory mappings, and Linux allows
/// 65 530 (vm.max_map_count), so that stacks beyond the first `max_guards` of the process go without. One thread.
class stack_pool {
  public:
    static constexpr std::size_t max_guards = 16'384;

    /// stack_size: bytes, rounded up to whole pages.
    explicit stack_pool(std::size_t stack_size) noexcept;
    stack_pool(const stack_pool&) = delete;
    stack_pool& operator=(const stack_pool&) = delete;
    /// [no fiber lives on a stack of the pool]
    ~stack_pool();

    /// nullptr when there is no memory.
    fiber_stack* take() noexcept;
    void put(fiber_stack& stack) noexcept;

  private:
    struct slab {
        std::byte* begin;
        bool guarded;
    };
    bool grow() noexcept;

    const std::size_t slot_size_; // guard page and stack
    fiber_stack* free_ = nullptr;
    std::vector<slab> slabs_;
};

/// Tells AddressSanitizer that the code from here on runs on another stack: `bottom` and `size` describe it (nullptr:
/// unknown). The fake stacks are those of the stack that is left and of the one that is entered. Does nothing in other
/// builds.
void announce_switch(void*& left_fake_stack, void* entered_fake_stack, const std::byte* bottom,
                     std::size_t size) noexcept;

} // namespace chimera::fiber
