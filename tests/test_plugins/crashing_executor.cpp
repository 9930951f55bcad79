// An executor that takes the process down: with a signal, or by never coming back from run.
#include <chimera/sdk/epoll_reactor.hpp>
#include <chimera/sdk/plugin.hpp>

#include <array>
#include <csignal>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace {

using namespace chimera::sdk;

class crashing_executor final : public executor_base<crashing_executor> {
  public:
    static constexpr std::array schema{enum_option("how", "crash", "crash|hang", "What run does")};

    crashing_executor(const chm_host*, const options& o) : hang_(o.text("how") == "hang") {}
    ~crashing_executor() {
        for (chm_task* task : tasks_) task->vt->drop(task);
    }

    chm_rc spawn(chm_task* task, const chm_spawn_opts*) {
        tasks_.push_back(task);
        return CHM_OK;
    }
    chm_rc run(std::uint32_t) {
        while (hang_) pause();
        std::raise(SIGABRT); // which no sanitizer takes for itself
        return CHM_OK;
    }
    void stop() noexcept {}
    const void* extension(std::string_view id) noexcept { return id == CHM_EXT_REACTOR ? &reactor_ : nullptr; }

  private:
    bool hang_;
    epoll_reactor reactor_;
    std::vector<chm_task*> tasks_;
};

} // namespace

CHIMERA_EXECUTOR_PLUGIN("crashing_executor", "1", "Crashes or hangs, for tests", crashing_executor);
