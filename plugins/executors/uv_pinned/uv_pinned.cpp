// The executor: workers, each with a thread and a libuv loop of its own, and tasks that never leave theirs.
#include <array>
#include <cassert>
#include <memory>
#include <string>

#include "chimera/sdk/error.hpp"
#include "worker.hpp"

namespace chimera::uv_pinned {

namespace {
uv_handle_t* handle(void* any_uv_handle) noexcept { return static_cast<uv_handle_t*>(any_uv_handle); }
} // namespace

worker::worker(sdk::lifecycle_state& life, const chm_host* host) : pinned::worker(life, host) {
    if (const int rc = uv_loop_init(&loop_); rc < 0)
        throw sdk::error(CHM_E_FAIL, std::string("uv_loop_init: ") + uv_strerror(rc));
    loop_.data = this;
    const auto on_mail = [](uv_async_t* h) { static_cast<worker*>(h->loop->data)->take_mail(); };
    if (const int rc = uv_async_init(&loop_, &mail_, on_mail); rc < 0) {
        uv_loop_close(&loop_);
        throw sdk::error(CHM_E_FAIL, std::string("uv_async_init: ") + uv_strerror(rc));
    }
    uv_prepare_init(&loop_, &before_wait_);
    uv_prepare_start(&before_wait_, [](uv_prepare_t* h) { static_cast<worker*>(h->loop->data)->turn(); });
    uv_idle_init(&loop_, &no_wait_);
}

void worker::turn() noexcept {
    poll_some();
    uv_update_time(&loop_); // the wait is counted from the cached time: polls must not be added to it
    if (life().ended())
        uv_stop(&loop_);
    else if (runnable())
        uv_idle_start(&no_wait_, [](uv_idle_t*) {});
    else
        uv_idle_stop(&no_wait_);
}

worker::~worker() {
    uv_close(handle(&mail_), nullptr);
    uv_close(handle(&before_wait_), nullptr);
    uv_close(handle(&no_wait_), nullptr);
    // Tasks have deregistered their descriptors and timers. A handle that is left was leaked by one: warn, and close
    // it.
    uv_walk(
        &loop_,
        [](uv_handle_t* h, void* self) {
            if (uv_is_closing(h)) return;
            static_cast<worker*>(self)->complain();
            close_leaked(h);
        },
        this);
    uv_run(&loop_, UV_RUN_DEFAULT);
    [[maybe_unused]] const int rc = uv_loop_close(&loop_);
    assert(rc == 0);
}

class uv_pinned final : public pinned::executor<uv_pinned, worker, reactor> {
  public:
    static constexpr std::array schema{pinned::workers_option, pinned::pin_cpus_option};
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
    chimera::sdk::single_executor<chimera::uv_pinned::uv_pinned>};
