// Plugins loaded as the host loads them, and the proof that an executor leaves nothing behind.
#pragma once

#include <dlfcn.h>
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "chimera/abi.h"
#include "chimera/sdk/task.hpp"
#include "chimera/sdk/text.hpp"
#include "chimera/sdk/waker.hpp"

namespace chimera::async_std_bridge_test {

inline const chm_host test_host{sizeof(chm_host), [](const chm_host*, std::int32_t, chm_str) noexcept {},
                                [](const chm_host*, const char*) noexcept -> const void* { return nullptr; }};

inline const chm_executor_factory& load(const char* file) {
    std::thread([] {}).join(); // ThreadSanitizer starts a thread of its own with the first one
    void* lib = dlopen((std::string(CHIMERA_PLUGIN_DIR "/") + file).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!lib) FAIL(dlerror());
    const auto* entry = static_cast<const chm_plugin_entry*>(dlsym(lib, CHM_ENTRY_SYMBOL));
    if (entry->init) REQUIRE(entry->init(&test_host, nullptr) == CHM_OK);
    return *static_cast<const chm_executor_factory*>(entry->get_factory(CHM_FACTORY_EXECUTOR));
}
inline const chm_executor_factory& bridge_factory() {
    static const chm_executor_factory& f = load("async_std_bridge.so");
    return f;
}
inline const chm_executor_factory& uv_factory() {
    static const chm_executor_factory& f = load("uv_pinned.so");
    return f;
}

using option_list = std::initializer_list<std::pair<const char*, const char*>>;
inline chm_executor* create(const chm_executor_factory& factory, option_list options) {
    std::vector<chm_kv> kv;
    for (const auto& [key, value] : options) kv.push_back({sdk::str(key), sdk::str(value)});
    const chm_config config{kv.data(), kv.size()};
    chm_executor* made = nullptr;
    REQUIRE(factory.create(&test_host, &config, &made, nullptr) == CHM_OK);
    return made;
}

/// Declared first in a test: at its end there are as many descriptors and threads as there were.
class leak_check {
  public:
    leak_check() {
        bridge_factory();
        uv_factory();
        fds_ = count("/proc/self/fd");
        threads_ = count("/proc/self/task");
    }
    leak_check(const leak_check&) = delete;
    leak_check& operator=(const leak_check&) = delete;
    ~leak_check() {
        // A joined thread may stay listed for a moment.
        for (int i = 0; i < 1000 && count("/proc/self/task") != threads_; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        CHECK(count("/proc/self/task") == threads_);
        CHECK(count("/proc/self/fd") == fds_);
    }

  private:
    static std::size_t count(const char* folder) {
        std::size_t n = 0;
        for ([[maybe_unused]] const auto& e : std::filesystem::directory_iterator(folder)) ++n;
        return n;
    }
    std::size_t fds_ = 0, threads_ = 0;
};

/// Calls its function in each poll, and counts drops.
struct counting_task final : chm_task {
    explicit counting_task(std::atomic<int>& drops, std::function<chm_rc(chm_waker*)> f = nullptr)
        : chm_task{&vtable}, on_poll(std::move(f)), dropped(drops) {}
    std::function<chm_rc(chm_waker*)> on_poll;
    std::atomic<int>& dropped;
    static chm_rc poll_thunk(chm_task* t, chm_waker* w) noexcept {
        auto& self = *static_cast<counting_task*>(t);
        return self.on_poll ? self.on_poll(w) : static_cast<chm_rc>(CHM_PENDING);
    }
    static void drop_thunk(chm_task* t) noexcept {
        ++static_cast<counting_task*>(t)->dropped;
        delete static_cast<counting_task*>(t);
    }
    static constexpr chm_task_vt vtable{poll_thunk, drop_thunk};
};

} // namespace chimera::async_std_bridge_test
