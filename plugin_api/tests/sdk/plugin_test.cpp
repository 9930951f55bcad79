// The exported entry of a class: its init, deinit and flags; its services; and the results of its polls.
#include "chimera/sdk/plugin.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <type_traits>

using namespace chimera::sdk;

namespace {

template <class Self>
struct nothing : executor_base<Self> {
    static constexpr std::array schema{int_option("workers", "1", 1, 4, "number of workers")};
    nothing() = default;
    nothing(const chm_host*, const options&) {}
    chm_rc spawn(chm_task*, const chm_spawn_opts*) { return CHM_E_NOSYS; }
    chm_rc run(std::uint32_t) { return CHM_OK; }
    void stop() noexcept {}
    const void* extension(std::string_view) noexcept { return nullptr; }
};

struct bare final : nothing<bare> {
    using nothing::nothing;
};

struct embedding final : nothing<embedding> {
    using nothing::nothing;
    static constexpr std::uint32_t plugin_flags = CHM_PLUGIN_SINGLE_INSTANCE | CHM_PLUGIN_NO_TSAN;
    static inline const chm_host* seen = nullptr;
    static inline bool begun = false, refuses = false;
    static void init(const chm_host* host) {
        if (refuses) throw error(CHM_E_NOSYS, "no runtime of version 3.11 is installed");
        seen = host;
        begun = true;
    }
    static void deinit() noexcept { begun = false; }
};

static_assert(init_of<bare> == nullptr);
static_assert(deinit_of<bare> == nullptr);
static_assert(plugin_flags_of<bare> == 0);

// CHM_OK is CHM_PENDING, so a poll must not be able to return it by mistake.
static_assert(!std::is_convertible_v<decltype(CHM_OK), poll_result>);
static_assert(!std::is_convertible_v<chm_rc, poll_result>);

struct scripted final : exchange_base<scripted> {
    poll_result head = poll_result::pending, chunk = poll_result::pending;
    poll_result poll_head(chm_waker*, chm_head&) const { return head; }
    poll_result poll_chunk(chm_waker*, chm_str&) const {
        if (chunk == poll_result::end) throw error(CHM_E_CLOSED, "closed early");
        return chunk;
    }
    void close() noexcept {}
};

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

struct without_services final : executor_base<without_services> {
    chm_rc spawn(chm_task*, const chm_spawn_opts*) { return CHM_E_NOSYS; }
    chm_rc run(std::uint32_t) { return CHM_OK; }
    void stop() noexcept {}
    const void* extension(std::string_view) noexcept { return nullptr; }
};

} // namespace

CHIMERA_EXECUTOR_PLUGIN("embedding", "1.0", "a runtime that a process has once", embedding);

TEST_CASE("the entry has what the class has") {
    CHECK(chimera_plugin_entry.flags == (CHM_PLUGIN_SINGLE_INSTANCE | CHM_PLUGIN_NO_TSAN));
    CHECK(chimera_plugin_entry.abi_minor == CHM_ABI_MINOR);
    REQUIRE(bool{chimera_plugin_entry.init != nullptr});
    REQUIRE(bool{chimera_plugin_entry.deinit != nullptr});
    const chm_host host{sizeof(chm_host), nullptr, nullptr};
    CHECK(chimera_plugin_entry.init(&host, nullptr) == CHM_OK);
    CHECK(embedding::begun);
    CHECK(embedding::seen == &host);
    chimera_plugin_entry.deinit();
    CHECK_FALSE(embedding::begun);
}

TEST_CASE("an init that throws rejects the plugin, with its code and its message") {
    embedding::refuses = true;
    error_buffer err;
    CHECK(chimera_plugin_entry.init(nullptr, err.abi()) == CHM_E_NOSYS);
    CHECK(std::string(err.text()) == "no runtime of version 3.11 is installed");
    CHECK(chimera_plugin_entry.init(nullptr, nullptr) == CHM_E_NOSYS); // nobody listens
    CHECK_FALSE(embedding::begun);
    embedding::refuses = false;
}

TEST_CASE("results of polls cross the line as the contract's codes") {
    scripted x;
    chm_head head{};
    chm_str view{};
    error_buffer err;
    CHECK(x.vt->poll_head(&x, nullptr, &head, err.abi()) == CHM_PENDING);
    x.head = poll_result::ready;
    CHECK(x.vt->poll_head(&x, nullptr, &head, err.abi()) == CHM_READY);
    x.chunk = poll_result{CHM_E_IO};
    CHECK(x.vt->poll_chunk(&x, nullptr, &view, err.abi()) == CHM_E_IO);
    x.chunk = poll_result::end;
    CHECK(x.vt->poll_chunk(&x, nullptr, &view, err.abi()) == CHM_E_CLOSED);
    CHECK(err.text() == "closed early");
}

TEST_CASE("the factory is found by its id only") {
    CHECK(chimera_plugin_entry.get_factory(CHM_FACTORY_EXECUTOR) == &executor_factory<embedding>);
    CHECK(chimera_plugin_entry.get_factory(CHM_FACTORY_TRANSPORT) == nullptr);
    CHECK(chimera_plugin_entry.get_factory(nullptr) == nullptr);
}

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

TEST_CASE("an exception of a class becomes a code, and a missing task is refused") {
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
    without_services x;
    CHECK(service_of(&x) == nullptr);
    CHECK(service_of(nullptr) == nullptr);
}
