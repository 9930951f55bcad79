#include "buffer_ring.hpp"

#include <sys/mman.h>

#include <new>
#include <string>
#include <system_error>

#include "chimera/sdk/error.hpp"

namespace chimera::uring {

buffer_ring::buffer_ring(io_uring& ring, unsigned count, std::size_t buffer_size)
    : count_(count), size_(buffer_size), mapped_(count * (sizeof(io_uring_buf) + buffer_size)),
      pieces_(std::make_unique_for_overwrite<piece[]>(count)) {
    void* const memory = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    ring_ = static_cast<io_uring_buf_ring*>(memory);
    data_ = static_cast<char*>(memory) + count * sizeof(io_uring_buf);
    io_uring_buf_reg about{};
    about.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
    about.ring_entries = count;
    about.bgid = group;
    io_uring_buf_ring_init(ring_);
    if (const int rc = io_uring_register_buf_ring(&ring, &about, 0); rc < 0) {
        munmap(memory, mapped_);
        throw sdk::error(CHM_E_NOSYS, "uring: the kernel refused the ring of receive buffers (" +
                                          std::generic_category().message(-rc) +
                                          "); Linux 6.0 or later is needed, or set buffers = 0");
    }
    for (unsigned id = 0; id < count; ++id) lend(id);
}

buffer_ring::~buffer_ring() { munmap(ring_, mapped_); }

} // namespace chimera::uring
