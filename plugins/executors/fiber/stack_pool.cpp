#include "stack_pool.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace chimera::fiber {

namespace {

const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
constexpr std::size_t stacks_per_slab = 16;
constexpr std::size_t header = (sizeof(fiber_stack) + 63) / 64 * 64; // keeps the stack's top aligned

std::atomic<std::size_t> guards{0}; // of all pools of the process

bool reserve_guards() noexcept {
    if (guards.fetch_add(stacks_per_slab, std::memory_order_relaxed) + stacks_per_slab <= stack_pool::max_guards)
        return true;
    guards.fetch_sub(stacks_per_slab, std::memory_order_relaxed);
    return false;
}

} // namespace

stack_pool::stack_pool(std::size_t stack_size) noexcept : slot_size_(page + (stack_size + page - 1) / page * page) {}

stack_pool::~stack_pool() {
    for (const slab& s : slabs_) {
        ::munmap(s.begin, slot_size_ * stacks_per_slab);
        if (s.guarded) guards.fetch_sub(stacks_per_slab, std::memory_order_relaxed);
    }
}

bool stack_pool::grow() noexcept {
    try {
        slabs_.push_back({nullptr, false});
    } catch (const std::bad_alloc&) {
        return false;
    }
    const std::size_t bytes = slot_size_ * stacks_per_slab;
    void* const memory =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        slabs_.pop_back();
        return false;
    }
    ::madvise(memory, bytes, MADV_NOHUGEPAGE); // a huge page would hold many stacks, and each needs only a few kB
    auto* const begin = static_cast<std::byte*>(memory);
    const bool guarded = reserve_guards();
    slabs_.back() = {begin, guarded};
    for (std::size_t i = stacks_per_slab; i-- > 0;) {
        std::byte* const slot = begin + i * slot_size_;
        if (guarded) ::mprotect(slot, page, PROT_NONE); // refused only where mappings run out: then it goes without
        auto* const stack = new (slot + slot_size_ - header) fiber_stack;
        stack->bottom = slot + page;
        stack->size = slot_size_ - page - header;
        put(*stack);
    }
    return true;
}

fiber_stack* stack_pool::take() noexcept {
    if (!free_ && !grow()) return nullptr;
    fiber_stack* const stack = std::exchange(free_, free_->next);
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(stack->bottom, stack->size); // frames that a finished fiber left behind
#endif
    return stack;
}

void stack_pool::put(fiber_stack& stack) noexcept {
    stack.next = free_;
    free_ = &stack;
}

#if defined(__SANITIZE_ADDRESS__)
void announce_switch(void*& left_fake_stack, void* entered_fake_stack, const std::byte* bottom,
                     std::size_t size) noexcept {
    __sanitizer_start_switch_fiber(&left_fake_stack, bottom, size);
    __sanitizer_finish_switch_fiber(entered_fake_stack, nullptr, nullptr);
}
#else
void announce_switch(void*&, void*, const std::byte*, std::size_t) noexcept {}
#endif

} // namespace chimera::fiber
