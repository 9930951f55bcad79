// The executor: workers, each with a thread and a libuv loop of its own, and tasks that never leave theirs.
#include <array>

#include "../pinned/executor.hpp"
#include "reactor.hpp"
#include "worker.hpp"

namespace chimera::uv_pinned {

class uv_pinned final : public pinned::executor<uv_pinned, worker, reactor> {
  public:
    static constexpr std::array schema{pinned::workers_option(1024), pinned::pin_cpus_option};
    static constexpr const char* thread_name = "uv_pinned";

    uv_pinned(const chm_host* host, const sdk::options& options) : executor(options, options.flag("pin_cpus")) {
        hire([&](sdk::lifecycle_state& life) { return std::make_unique<worker>(life, host); });
    }
};

namespace {
/// libuv keeps a pair of descriptors for the whole process from its first loop on. They are made here, when the plugin
/// is loaded, so that no executor seems to leak them.
chm_rc init(const chm_host*, chm_error* err) noexcept {
    uv_loop_t loop;
    if (const int rc = uv_loop_init(&loop); rc < 0) return sdk::fail(err, CHM_E_FAIL, uv_strerror(rc));
    uv_loop_close(&loop);
    return CHM_OK;
}
} // namespace

} // namespace chimera::uv_pinned

extern "C" CHM_EXPORT const chm_plugin_entry chimera_plugin_entry;
extern "C" const chm_plugin_entry chimera_plugin_entry = {
    sizeof(chm_plugin_entry),
    CHM_ABI_MAJOR,
    CHM_ABI_MINOR,
    0,
    "uv_pinned",
    "0.1.0",
    "One libuv loop per worker, tasks pinned for life; stands for tokio LocalSet",
    chimera::uv_pinned::init,
    nullptr,
    chimera::sdk::single_factory<chimera::sdk::executor_factory<chimera::uv_pinned::uv_pinned>>};
