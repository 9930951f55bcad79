// The executor: workers, each with a thread and an io_uring of its own, and tasks that never leave theirs.
#include <array>
#include <bit>

#include "../pinned/executor.hpp"
#include "reactor.hpp"
#include "worker.hpp"

namespace chimera::uring {

class uring final : public pinned::executor<uring, worker, class reactor> {
  public:
    static constexpr std::array schema{
        pinned::workers_option(1024),
        pinned::pin_cpus_option,
        sdk::int_option("entries", "256", 8, 32768, "Requests of each ring that may wait for the next system call"),
        sdk::int_option("buffers", "512", 0, 32768,
                        "Receive buffers of each worker, rounded up to a power of two; 0: no receive extension"),
        sdk::int_option("buffer_size", "2048", 256, 1 << 20,
                        "Bytes of each receive buffer, of which up to 80 are the kernel's"),
        sdk::bool_option("defer_taskrun", "true",
                         "Run completions only while the worker waits (Linux 6.1); false: as older kernels do"),
    };
    static constexpr const char* thread_name = "uring";

    uring(const chm_host* host, const sdk::options& options) : executor(options, options.flag("pin_cpus")) {
        const auto number = [&](const char* key) { return static_cast<unsigned>(options.integer(key)); };
        const unsigned buffers = number("buffers");
        const ring_options mine{number("entries"), options.flag("defer_taskrun"),
                                buffers == 0 ? 0 : std::bit_ceil(buffers), number("buffer_size")};
        hire([&](sdk::lifecycle_state& life) {
            auto w = std::make_unique<worker>(life, host, mine);
            reactor().offer_receives(w->receives());
            return w;
        });
    }
};

} // namespace chimera::uring

CHIMERA_EXECUTOR_PLUGIN(
    "uring", "0.1.0", "One io_uring per worker, tasks pinned for life: receives complete into the worker's own buffers",
    chimera::uring::uring);
