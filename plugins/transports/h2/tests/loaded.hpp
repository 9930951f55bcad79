// Plugins as a host loads them: executors to poll tasks, and the transport under test.
#pragma once

#include <dlfcn.h>

#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "chimera/abi.h"
#include "chimera/abi/service.h"
#include "chimera/abi/timing.h"
#include "chimera/sdk/exchange.hpp"
#include "chimera/sdk/plugin.hpp"
#include "chimera/sdk/reactor.hpp"
#include "chimera/sdk/task.hpp"

namespace chimera::h2::test {

using option_list = std::vector<std::pair<std::string, std::string>>;

/// The entry of NAME.so, loaded and initialised once in this process.
inline const chm_plugin_entry& plugin(const std::string& name) {
    static std::map<std::string, const chm_plugin_entry*> loaded;
    const chm_plugin_entry*& entry = loaded[name];
    if (entry) return *entry;
    void* const library = dlopen((CHIMERA_PLUGIN_DIR "/" + name + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) throw std::runtime_error(dlerror());
    entry = static_cast<const chm_plugin_entry*>(dlsym(library, CHM_ENTRY_SYMBOL));
    sdk::error_buffer err;
    if (entry->init) err.check(entry->init(nullptr, err.abi()));
    return *entry;
}

/// An instance of NAME.so's factory; throws sdk::error.
template <class Instance, class Factory>
Instance* make(const std::string& name, const char* factory_id, const option_list& options) {
    std::vector<chm_kv> kv;
    for (const auto& [key, value] : options) kv.push_back({sdk::str(key), sdk::str(value)});
    const chm_config config{kv.data(), kv.size()};
    Instance* made = nullptr;
    sdk::error_buffer err;
    err.check(
        static_cast<const Factory*>(plugin(name).get_factory(factory_id))->create(nullptr, &config, &made, err.abi()));
    return made;
}

class executor {
  public:
    explicit executor(const std::string& name, const option_list& options = {})
        : raw_(make<chm_executor, chm_executor_factory>(name, CHM_FACTORY_EXECUTOR, options)) {}
    executor(const executor&) = delete;
    executor& operator=(const executor&) = delete;
    ~executor() { raw_->vt->destroy(raw_); }

    chm_executor* get() const noexcept { return raw_; }
    chm_reactor* reactor() const noexcept { return sdk::reactor_of(raw_); }
    bool has_services() const noexcept { return sdk::service_of(raw_) != nullptr; }
    /// Takes the task, on worker number `worker` where the executor listens to that.
    void spawn(sdk::task<void> body, std::uint32_t worker = 0) {
        chm_task* const task = sdk::root_task::create(std::move(body));
        chm_spawn_opts opts{};
        opts.size = sizeof opts;
        opts.hint = CHM_HINT_WORKER;
        opts.worker = worker;
        if (const chm_rc rc = raw_->vt->spawn(raw_, task, &opts); rc < 0) {
            task->vt->drop(task);
            throw sdk::error(rc, "spawn");
        }
    }
    chm_rc run() {
        sdk::error_buffer err;
        return raw_->vt->run(raw_, CHM_RUN_UNTIL_IDLE, err.abi());
    }
    void stop() noexcept { raw_->vt->stop(raw_); }

  private:
    chm_executor* raw_;
};

struct request {
    std::string method = "GET";
    std::string path = "/";
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string body = {};
};

/// What became of one exchange.
struct outcome {
    chm_rc rc = CHM_PENDING; ///< CHM_END when it was complete
    std::string error;
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::size_t pieces = 0;
    chm_exchange_timing head{}, last{}; ///< with the head, and with the last piece
    std::string header(std::string_view name) const {
        for (const auto& [key, value] : headers)
            if (key == name) return value;
        return "(none)";
    }
};

class transport {
  public:
    explicit transport(const option_list& options = {})
        : raw_(make<chm_transport, chm_transport_factory>("h2", CHM_FACTORY_TRANSPORT, options)),
          timing_(static_cast<const chm_timing_ext*>(raw_->vt->get_extension(raw_, CHM_EXT_TIMING))) {}
    transport(const transport&) = delete;
    transport& operator=(const transport&) = delete;
    ~transport() { destroy(); }
    void destroy() noexcept {
        if (chm_transport* raw = std::exchange(raw_, nullptr)) raw->vt->destroy(raw);
    }

    chm_transport* raw() const noexcept { return raw_; }
    sdk::session open(const executor& on, const std::string& url) {
        const chm_session_args args{sizeof args, 0, on.get(), on.reactor(), sdk::str(url)};
        return sdk::session(raw_, args);
    }
    sdk::exchange start(sdk::session& s, const request& r) const {
        std::vector<chm_kv> headers;
        for (const auto& [key, value] : r.headers) headers.push_back({sdk::str(key), sdk::str(value)});
        const chm_request raw{sizeof raw,         static_cast<std::uint32_t>(headers.size()),
                              sdk::str(r.method), sdk::str(r.path),
                              headers.data(),     sdk::str(r.body)};
        return s.start(raw);
    }
    chm_exchange_timing timing(const sdk::exchange& x) const noexcept {
        chm_exchange_timing t{};
        t.size = sizeof t;
        timing_->read(x.get(), &t);
        return t;
    }
    /// A whole exchange.
    sdk::task<void> fetch(sdk::session& s, request r, outcome& o) const {
        try {
            sdk::exchange x = start(s, r);
            auto arriving = x.head();
            const chm_head head = co_await arriving;
            o.status = head.status;
            for (std::size_t i = 0; i < head.n_headers; ++i)
                o.headers.emplace_back(sdk::view(head.headers[i].key), sdk::view(head.headers[i].value));
            o.head = o.last = timing(x);
            for (;;) {
                auto coming = x.chunk();
                const std::optional<std::string_view> piece = co_await coming;
                if (!piece) break;
                o.body += *piece;
                ++o.pieces;
                o.last = timing(x);
            }
            o.rc = CHM_END;
        } catch (const sdk::error& e) {
            o.rc = e.code();
            o.error = e.what();
        }
    }

  private:
    chm_transport* raw_;
    const chm_timing_ext* timing_;
};

} // namespace chimera::h2::test
