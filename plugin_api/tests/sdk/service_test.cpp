// A class's services as the contract's table.
#include "chimera/sdk/service.hpp"

#include <doctest/doctest.h>

#include <array>

#include "chimera/sdk/plugin.hpp"

using namespace chimera::sdk;

namespace {

struct serving final : executor_base<serving> {
    chm_rc spawn(chm_task*, const chm_spawn_opts*) { return CHM_E_NOSYS; }
    chm_rc run(std::uint32_t) { return CHM_OK; }
    void stop() noexcept {}
    const void* extension(std::string_view id) noexcept {
        return id == CHM_EXT_SERVICE ? &service_extension<serving> : nullptr;
    }
    std::uint32_t workers() const noexcept { return 3; }
    chm_rc worker_here() const noexcept { return here; }
    chm_rc spawn_service(chm_task* task, const chm_spawn_opts* opts) {
        if (opts != nullptr && opts->worker > 2) throw error(CHM_E_NOMEM, "no such worker");
        taken = task;
        return CHM_OK;
    }
    chm_rc here = 2;
    chm_task* taken = nullptr;
};

struct bare final : executor_base<bare> {
    chm_rc spawn(chm_task*, const chm_spawn_opts*) { return CHM_E_NOSYS; }
    chm_rc run(std::uint32_t) { return CHM_OK; }
    void stop() noexcept {}
    const void* extension(std::string_view) noexcept { return nullptr; }
};

} // namespace

TEST_CASE("the extension calls the class") {
    serving x;
    const chm_service_ext* const ext = service_of(&x);
    REQUIRE(ext != nullptr);
    CHECK(ext->size == sizeof(chm_service_ext));
    CHECK(ext->flags == 0);
    CHECK(ext->workers(&x) == 3);
    CHECK(ext->worker_here(&x) == 2);
    x.here = CHM_E_AFFINITY;
    CHECK(ext->worker_here(&x) == CHM_E_AFFINITY);

    chm_task task{};
    CHECK(ext->spawn_service(&x, &task, nullptr) == CHM_OK);
    CHECK(x.taken == &task);
}

TEST_CASE("what a class throws comes out as a code, and no task is no task") {
    serving x;
    const chm_service_ext* const ext = service_of(&x);
    chm_task task{};
    chm_spawn_opts opts{};
    opts.size = sizeof opts;
    opts.worker = 3;
    CHECK(ext->spawn_service(&x, &task, &opts) == CHM_E_NOMEM);
    CHECK(ext->spawn_service(&x, nullptr, nullptr) == CHM_E_INVAL);
    CHECK(x.taken == nullptr);
}

TEST_CASE("an executor without services, and no executor, have no extension") {
    bare x;
    CHECK(service_of(&x) == nullptr);
    CHECK(service_of(nullptr) == nullptr);
}
