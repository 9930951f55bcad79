#include "transport_client.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <span>
#include <stdexcept>

#include "chimera/sdk/error.hpp"
#include "chimera/sdk/text.hpp"

namespace chimera::http_framing {

transport_plugin::transport_plugin(const std::string& file) {
    void* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) throw std::runtime_error(::dlerror());
    entry_ = static_cast<const chm_plugin_entry*>(::dlsym(library, CHM_ENTRY_SYMBOL));
    if (!entry_) throw std::runtime_error(file + ": not a plugin");
    sdk::error_buffer err;
    if (entry_->init) err.check(entry_->init(nullptr, err.abi()));
    factory_ = static_cast<const chm_transport_factory*>(entry_->get_factory(CHM_FACTORY_TRANSPORT));
    if (!factory_) throw std::runtime_error(file + ": not a transport");
}

transport_plugin::~transport_plugin() {
    if (entry_->deinit) entry_->deinit();
}

bool transport_plugin::has_option(std::string_view key) const noexcept {
    const std::span<const chm_option> options(factory_->options, factory_->n_options);
    return std::ranges::any_of(options, [key](const chm_option& o) { return key == o.name; });
}

transport_client::transport_client(const transport_plugin& plugin, std::string_view url, const option_list& options) {
    std::vector<chm_kv> given;
    for (const auto& [key, value] : options) given.push_back({sdk::str(key), sdk::str(value)});
    const chm_config config{given.data(), given.size()};
    sdk::error_buffer err;
    err.check(plugin.factory().create(nullptr, &config, &transport_, err.abi()));
    const chm_session_args args{sizeof args, 0, nullptr, &reactor_, sdk::str(url)};
    const chm_rc rc = transport_->vt->open(transport_, &args, &session_, err.abi());
    if (rc < 0) transport_->vt->destroy(transport_);
    err.check(rc);
}

transport_client::~transport_client() {
    if (exchange_) finish();
    session_->vt->close(session_);
    transport_->vt->destroy(transport_);
}

void transport_client::start(std::string_view method) {
    const chm_request request{sizeof request, 0, sdk::str(method), sdk::str("/"), nullptr, {}};
    sdk::error_buffer err;
    err.check(session_->vt->start(session_, &request, &exchange_, err.abi()));
    outcome_ = {};
    has_head_ = over_ = false;
    woken_ = true; // the first poll needs no wake
}

bool transport_client::advance(int wait_ms) {
    if (over_) return false;
    if (!woken_) reactor_.turn(wait_ms);
    if (!woken_) return false;
    woken_ = false;
    poll();
    return true;
}

void transport_client::poll() {
    sdk::error_buffer err;
    for (;;) {
        chm_head head{sizeof head, 0, nullptr, 0};
        chm_str piece{};
        const chm_rc rc = has_head_ ? exchange_->vt->poll_chunk(exchange_, waker_.get(), &piece, err.abi())
                                    : exchange_->vt->poll_head(exchange_, waker_.get(), &head, err.abi());
        if (rc == CHM_PENDING) return;
        if (rc < 0 || (rc == CHM_END && has_head_)) {
            outcome_.rc = rc;
            outcome_.message = rc < 0 ? err.text() : "";
            if (rc < 0 && outcome_.message.empty()) outcome_.fault = "an error without a message";
            over_ = true;
            return;
        }
        if (has_head_) {
            if (piece.len == 0) outcome_.fault = "a piece without a byte";
            outcome_.body += sdk::view(piece);
            continue;
        }
        has_head_ = true;
        outcome_.status = head.status;
        if (head.status < 200 || head.status > 999) outcome_.fault = "status " + std::to_string(head.status);
        for (std::size_t i = 0; i < head.n_headers; ++i)
            outcome_.headers.emplace_back(sdk::view(head.headers[i].key), sdk::view(head.headers[i].value));
    }
}

outcome transport_client::finish() {
    woken_ = false;
    exchange_->vt->close(exchange_);
    exchange_ = nullptr;
    over_ = true;
    reactor_.turn(0); // frees the registrations that were given up, and with them any waker
    if (waker_.references() != 0) outcome_.fault = "a waker was kept after close";
    if (woken_) outcome_.fault = "a wake came after close";
    return std::move(outcome_);
}

} // namespace chimera::http_framing
