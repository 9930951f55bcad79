// The plugin as a host loads it, and its transports, sessions and exchanges for a test.
#pragma once

#include <dlfcn.h>

#include <initializer_list>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <chimera/abi.h>
#include <chimera/sdk/exchange.hpp>

#include "turned_reactor.hpp"

namespace curl_test {

using chimera::sdk::error;
using chimera::sdk::error_buffer;
using chimera::sdk::str;

/// curl.so, loaded and initialised once, as a host does it.
inline const chm_transport_factory& factory() {
    static const struct loaded {
        loaded() {
            void* library = dlopen(CHIMERA_PLUGIN_DIR "/curl.so", RTLD_NOW | RTLD_LOCAL);
            if (!library) throw std::runtime_error(dlerror());
            entry = static_cast<const chm_plugin_entry*>(dlsym(library, CHM_ENTRY_SYMBOL));
            error_buffer err;
            err.check(entry->init(nullptr, err.abi()));
        }
        ~loaded() { entry->deinit(); }
        const chm_plugin_entry* entry;
    } plugin;
    return *static_cast<const chm_transport_factory*>(plugin.entry->get_factory(CHM_FACTORY_TRANSPORT));
}

using option_list = std::initializer_list<std::pair<const char*, std::string>>;

/// A transport with these options; throws error when it cannot be made.
class transport {
  public:
    explicit transport(option_list options = {}) {
        std::vector<chm_kv> kv;
        for (const auto& [key, value] : options) kv.push_back({str(key), str(value)});
        const chm_config config{kv.data(), kv.size()};
        error_buffer err;
        err.check(factory().create(nullptr, &config, &raw_, err.abi()));
    }
    transport(const transport&) = delete;
    transport& operator=(const transport&) = delete;
    ~transport() {
        if (raw_) raw_->vt->destroy(raw_);
    }
    chm_transport* get() const noexcept { return raw_; }

  private:
    chm_transport* raw_ = nullptr;
};

struct request {
    std::string method = "POST", path = "/";
    std::string body{};
    std::vector<std::pair<std::string, std::string>> headers{};
};

/// An exchange that blocks the test until there is something.
class exchange {
  public:
    exchange(turned_reactor& r, chm_transport* t, chm_exchange* raw) noexcept : reactor_(r), transport_(t), raw_(raw) {}
    exchange(const exchange&) = delete;
    exchange& operator=(const exchange&) = delete;
    ~exchange() { close(); }
    void close() noexcept {
        if (chm_exchange* raw = std::exchange(raw_, nullptr)) raw->vt->close(raw);
    }

    /// The status; headers go to `headers`, names as sent. Throws error.
    int head() {
        chm_head h{sizeof(chm_head), 0, nullptr, 0};
        error_buffer err;
        err.check(reactor_.until_ready([&](chm_waker* w) { return raw_->vt->poll_head(raw_, w, &h, err.abi()); }));
        for (std::size_t i = 0; i < h.n_headers; ++i)
            headers[std::string(chimera::sdk::view(h.headers[i].key))] = chimera::sdk::view(h.headers[i].value);
        return h.status;
    }
    /// The next piece; empty at the end. Throws error.
    std::string_view piece() {
        chm_str view{};
        error_buffer err;
        const chm_rc rc =
            reactor_.until_ready([&](chm_waker* w) { return raw_->vt->poll_chunk(raw_, w, &view, err.abi()); });
        err.check(rc);
        return rc == CHM_END ? std::string_view{} : chimera::sdk::view(view);
    }
    /// All that is left of the body. Throws error.
    std::string rest() {
        std::string all;
        for (std::string_view p = piece(); !p.empty(); p = piece()) all += p;
        return all;
    }
    /// One poll of the body, whatever comes of it.
    chm_rc poll_once(chm_waker* waker, chm_str& view) { return raw_->vt->poll_chunk(raw_, waker, &view, nullptr); }
    chm_exchange_timing timing() const {
        chm_exchange_timing t{};
        t.size = sizeof t;
        const auto* ext = static_cast<const chm_timing_ext*>(transport_->vt->get_extension(transport_, CHM_EXT_TIMING));
        ext->read(raw_, &t);
        return t;
    }

    std::map<std::string, std::string> headers;

  private:
    turned_reactor& reactor_;
    chm_transport* transport_;
    chm_exchange* raw_;
};

class session {
  public:
    session(turned_reactor& r, const transport& t, const std::string& base) : reactor_(r), transport_(t.get()) {
        chm_session_args args{};
        args.size = sizeof args;
        args.reactor = r.reactor();
        args.base_url = str(base);
        error_buffer err;
        err.check(transport_->vt->open(transport_, &args, &raw_, err.abi()));
    }
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session() {
        if (raw_) raw_->vt->close(raw_);
    }
    /// Throws error.
    exchange start(const request& r) {
        std::vector<chm_kv> kv;
        for (const auto& [key, value] : r.headers) kv.push_back({str(key), str(value)});
        chm_request raw{};
        raw.size = sizeof raw;
        raw.n_headers = static_cast<std::uint32_t>(kv.size());
        raw.headers = kv.data();
        raw.method = str(r.method);
        raw.path = str(r.path);
        raw.body = str(r.body);
        chm_exchange* x = nullptr;
        error_buffer err;
        err.check(raw_->vt->start(raw_, &raw, &x, err.abi()));
        return {reactor_, transport_, x};
    }

  private:
    turned_reactor& reactor_;
    chm_transport* transport_;
    chm_session* raw_ = nullptr;
};

} // namespace curl_test
