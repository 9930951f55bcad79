#include "ring.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <string>
#include <system_error>

#include "chimera/sdk/error.hpp"

namespace chimera::uring {

namespace {

[[noreturn]] void refuse(int why) {
    constexpr auto instead = "; or choose another executor, such as thread_pool or uv_pinned";
    const std::string said = "uring: io_uring_setup: " + std::generic_category().message(why);
    switch (why) {
    case ENOSYS:
        throw sdk::error(CHM_E_NOSYS,
                         said + ": this kernel has no io_uring; Linux 5.19 or later is needed, 6.1 is better" +
                             instead);
    case EPERM:
    case EACCES:
        throw sdk::error(CHM_E_NOSYS, said +
                                          ": io_uring is forbidden here; allow it with the sysctl "
                                          "kernel.io_uring_disabled=0 and, in a container, with a seccomp profile "
                                          "that permits io_uring_setup, io_uring_enter and io_uring_register" +
                                          instead);
    case EINVAL:
        throw sdk::error(CHM_E_NOSYS,
                         said + ": this kernel's io_uring is too old; Linux 5.19 or later is needed" + instead);
    case ENOMEM:
        throw sdk::error(CHM_E_NOMEM, said + ": fewer workers or entries, or a higher limit on locked memory "
                                             "(ulimit -l), may help");
    default:
        throw sdk::error(CHM_E_FAIL, said);
    }
}

} // namespace

ring::ring(unsigned entries, bool defer) {
    // One thread issues: the kernel needs no lock, and may leave completions alone until that thread asks for them,
    // instead of interrupting it. Older kernels do not know these flags.
    constexpr unsigned always = IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    constexpr unsigned deferred = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    int rc = -EINVAL;
    for (const unsigned flags : {always | deferred, always}) {
        if (!defer && flags != always) continue;
        io_uring_params params{};
        params.flags = flags;
        params.cq_entries = 4 * entries; // a multishot request answers many times
        rc = io_uring_queue_init_params(entries, &ring_, &params);
        if (rc != -EINVAL) break;
    }
    if (rc < 0) refuse(-rc);
}

void ring::enable() noexcept { // Debian's liburing does not export io_uring_enable_rings
    ::syscall(SYS_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
}

bool ring::receives_many() const noexcept {
    io_uring_probe* const probe = io_uring_get_probe_ring(const_cast<io_uring*>(&ring_));
    const bool recent = probe && io_uring_opcode_supported(probe, IORING_OP_SEND_ZC);
    io_uring_free_probe(probe);
    return recent;
}

io_uring_sqe* ring::take_sqe() noexcept {
    for (;;) {
        if (io_uring_sqe* const sqe = io_uring_get_sqe(&ring_)) return sqe;
        flush();
    }
}

void ring::turn(bool wait) noexcept {
    wait ? io_uring_submit_and_wait(&ring_, 1) : io_uring_submit_and_get_events(&ring_);
    unsigned head = 0, seen = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring_, head, cqe) {
        ++seen;
        auto* const op = static_cast<operation*>(io_uring_cqe_get_data(cqe));
        if (!op) continue;
        if (!(cqe->flags & IORING_CQE_F_MORE)) {
            op->in_flight_ = false;
            --in_flight_;
        }
        op->answered(cqe->res, cqe->flags);
    }
    io_uring_cq_advance(&ring_, seen);
}

void ring::drain() noexcept {
    while (in_flight_ != 0) { // again, for the requests that answers have made
        tell([](io_uring_sqe* sqe) { io_uring_prep_cancel(sqe, nullptr, IORING_ASYNC_CANCEL_ANY); });
        turn(true);
    }
}

// --- receive buffers ---

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
