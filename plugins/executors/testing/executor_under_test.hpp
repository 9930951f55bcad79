// What the executors' own tests are made of: a plugin loaded as the host loads it, an instance of it, tasks made of
// functions, and the proof that nothing is left.
#pragma once

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../../../plugin_api/conformance/kit/census.hpp"
#include "chimera/abi.h"
#include "chimera/sdk/error.hpp"
#include "chimera/sdk/plugin.hpp"
#include "chimera/sdk/reactor.hpp"
#include "chimera/sdk/task.hpp"
#include "chimera/sdk/text.hpp"

namespace chimera::test {

/// Ids of plugins, defined once by each test: the executor that is tested, then the plugins that it is tested with. A
/// census loads them before it counts.
extern const std::vector<std::string> plugins_under_test;

/// Lines that plugins have logged.
inline std::atomic<int> complaints{0};
inline const chm_host test_host{sizeof(chm_host), [](const chm_host*, std::int32_t, chm_str) noexcept { ++complaints; },
                                [](const chm_host*, const char*) noexcept -> const void* { return nullptr; }};

/// The factory of a plugin of this build, which is loaded and initialized at the first call and stays. Throws
/// std::runtime_error, sdk::error. [one thread]
inline const chm_executor_factory& executor_factory(const std::string& plugin) {
    static std::map<std::string, const chm_executor_factory*> loaded;
    const chm_executor_factory*& factory = loaded[plugin];
    if (!factory) {
        void* const library = dlopen((CHIMERA_PLUGIN_DIR "/" + plugin + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
        if (!library) throw std::runtime_error(dlerror());
        const auto* entry = static_cast<const chm_plugin_entry*>(dlsym(library, CHM_ENTRY_SYMBOL));
        sdk::error_buffer err;
        if (entry->init) err.check(entry->init(&test_host, err.abi()));
        factory = static_cast<const chm_executor_factory*>(entry->get_factory(CHM_FACTORY_EXECUTOR));
    }
    return *factory;
}

using setting = std::pair<const char*, std::string>;
using settings = std::initializer_list<setting>;

/// The caller destroys it. Throws sdk::error when an option is refused.
inline chm_executor* create_executor(const std::string& plugin, std::span<const setting> options) {
    std::vector<chm_kv> kv;
    for (const auto& [key, value] : options) kv.push_back({sdk::str(key), sdk::str(value)});
    const chm_config config{kv.data(), kv.size()};
    chm_executor* made = nullptr;
    sdk::error_buffer err;
    err.check(executor_factory(plugin).create(&test_host, &config, &made, err.abi()));
    return made;
}

/// Calls a function in each poll, and another one, if given, when it is dropped. Plain `delete` takes it back without
/// the latter.
class closure_task final : public chm_task {
  public:
    using body = std::function<chm_rc(chm_waker*)>;
    static closure_task* make(body poll, std::function<void()> dropped = {}) {
        return new closure_task(std::move(poll), std::move(dropped));
    }
    /// Counts its drop.
    static closure_task* counted(
        std::atomic<int>& drops, body poll = [](chm_waker*) { return CHM_PENDING; }) {
        return make(std::move(poll), [&drops] { ++drops; });
    }

  private:
    closure_task(body poll, std::function<void()> dropped)
        : chm_task{&vtable}, poll_(std::move(poll)), dropped_(std::move(dropped)) {}
    static chm_rc poll_thunk(chm_task* t, chm_waker* w) noexcept { return static_cast<closure_task*>(t)->poll_(w); }
    static void drop_thunk(chm_task* t) noexcept {
        if (const auto& f = static_cast<closure_task*>(t)->dropped_) f();
        delete static_cast<closure_task*>(t);
    }
    static constexpr chm_task_vt vtable{poll_thunk, drop_thunk};
    body poll_;
    std::function<void()> dropped_;
};

/// An instance of the first of plugins_under_test, or of another one.
class executor_under_test {
  public:
    explicit executor_under_test(settings options = {}, const std::string& plugin = plugins_under_test.front())
        : raw_(create_executor(plugin, {options.begin(), options.size()})) {}
    explicit executor_under_test(const std::vector<setting>& options)
        : raw_(create_executor(plugins_under_test.front(), options)) {}
    executor_under_test(const executor_under_test&) = delete;
    executor_under_test& operator=(const executor_under_test&) = delete;
    ~executor_under_test() { destroy(); }

    void destroy() {
        if (raw_) raw_->vt->destroy(std::exchange(raw_, nullptr));
    }
    /// A task that is refused stays the caller's.
    chm_rc offer(chm_task* task, std::uint32_t hint = CHM_HINT_ANY, std::uint32_t worker = 0) {
        const chm_spawn_opts opts{sizeof opts, hint, worker, 0, {nullptr, 0}};
        return raw_->vt->spawn(raw_, task, &opts);
    }
    /// A task that is refused is dropped.
    chm_rc spawn(chm_task* task, std::uint32_t hint = CHM_HINT_ANY, std::uint32_t worker = 0) {
        const chm_rc rc = offer(task, hint, worker);
        if (rc != CHM_OK) task->vt->drop(task);
        return rc;
    }
    chm_rc spawn(sdk::task<void> body, std::uint32_t hint = CHM_HINT_ANY, std::uint32_t worker = 0) {
        return spawn(sdk::root_task::create(std::move(body)), hint, worker);
    }
    /// The same for a service, where it offers them.
    chm_rc spawn_service(chm_task* task, std::uint32_t hint = CHM_HINT_ANY, std::uint32_t worker = 0) {
        const chm_spawn_opts opts{sizeof opts, hint, worker, 0, {nullptr, 0}};
        const chm_rc rc = sdk::service_of(raw_)->spawn_service(raw_, task, &opts);
        if (rc != CHM_OK) task->vt->drop(task);
        return rc;
    }
    /// The number of the calling worker, where it offers services.
    chm_rc here() const { return sdk::service_of(raw_)->worker_here(raw_); }
    chm_rc run(std::uint32_t mode = CHM_RUN_UNTIL_IDLE) { return raw_->vt->run(raw_, mode, nullptr); }
    void stop() { raw_->vt->stop(raw_); }
    chm_reactor* reactor() { return sdk::reactor_of(raw_); }
    const void* extension(const char* id) { return raw_->vt->get_extension(raw_, id); }
    std::uint32_t flags() const { return raw_->vt->flags; }
    chm_executor* get() const { return raw_; }

  private:
    chm_executor* raw_;
};

/// Declared first in a test: at its end there are the descriptors and threads that there were, and the plugins have
/// logged what was expected.
class census {
  public:
    explicit census(int expected_complaints = 0) : expected_complaints_(expected_complaints) {
        conformance::start_first_thread();
        for (const std::string& plugin : plugins_under_test) executor_factory(plugin);
        held_ = conformance::census::take();
        complaints = 0;
    }
    census(const census&) = delete;
    census& operator=(const census&) = delete;
    ~census() {
        CHECK(conformance::census::take().descriptors == held_.descriptors); // none more, and none of another's fewer
        CHECK(held_.left_over_after(std::chrono::seconds(5)) == "");
        CHECK(complaints == expected_complaints_);
    }

  private:
    int expected_complaints_;
    conformance::census held_;
};

/// Of the calling thread.
inline std::string thread_name() {
    std::array<char, 16> name{};
    pthread_getname_np(pthread_self(), name.data(), name.size());
    return name.data();
}

/// Waits inside a poll, as a task that blocks does. False after ten seconds: the test fails instead of hanging.
template <class Condition>
bool block_until(Condition condition) {
    for (int i = 0; i < 10'000; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
}

} // namespace chimera::test
