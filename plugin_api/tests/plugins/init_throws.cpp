// A plugin whose runtime is not there: what its init throws is what the host says of it.
#include "chimera/sdk/plugin.hpp"

#include <array>

namespace {

struct init_throws final : chimera::sdk::executor_base<init_throws> {
    static constexpr std::array<chm_option, 0> schema{};
    static void init(const chm_host*) {
        throw chimera::sdk::error(CHM_E_NOSYS, "no runtime of version 3.11 is installed");
    }
    init_throws(const chm_host*, const chimera::sdk::options&) {}
    chm_rc spawn(chm_task*, const chm_spawn_opts*) { return CHM_E_NOSYS; }
    chm_rc run(std::uint32_t) { return CHM_OK; }
    void stop() noexcept {}
    const void* extension(std::string_view) noexcept { return nullptr; }
};

} // namespace

CHIMERA_EXECUTOR_PLUGIN("init_throws", "1.0", "a runtime that is not there", init_throws);
