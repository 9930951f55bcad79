// A host of one transport plugin that takes one step at a time, on the caller's thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chimera/abi.h"
#include "chimera/sdk/epoll_reactor.hpp"
#include "conformance/kit/counting_waker.hpp"
#include "outcome.hpp"

namespace chimera::http_framing {

/// A transport plugin, loaded and initialised as a host does it. Stays loaded, as in the host.
class transport_plugin {
  public:
    /// Throws std::runtime_error.
    explicit transport_plugin(const std::string& file);
    ~transport_plugin();
    transport_plugin(const transport_plugin&) = delete;
    transport_plugin& operator=(const transport_plugin&) = delete;
    std::string_view id() const noexcept { return entry_->id; }
    const chm_transport_factory& factory() const noexcept { return *factory_; }
    bool has_option(std::string_view key) const noexcept;

  private:
    const chm_plugin_entry* entry_;
    const chm_transport_factory* factory_;
};

using option_list = std::vector<std::pair<std::string_view, std::string_view>>;

/// One session, with one exchange at a time.
class transport_client {
  public:
    /// Throws sdk::error where the plugin refuses the options or the URL.
    transport_client(const transport_plugin& plugin, std::string_view url, const option_list& options = {});
    ~transport_client();
    transport_client(const transport_client&) = delete;
    transport_client& operator=(const transport_client&) = delete;

    /// Begins an exchange. Throws sdk::error.
    void start(std::string_view method);
    /// Lets the exchange go on as far as it can when something has woken it within so many milliseconds. False: nothing
    /// has, or it is over.
    bool advance(int wait_ms);
    bool over() const noexcept { return over_; }
    /// Closes the exchange, finished or not.
    outcome finish();

  private:
    void poll();

    sdk::epoll_reactor reactor_;
    bool woken_ = false;
    conformance::counting_waker waker_{sdk::waker(), [this] { woken_ = true; }};
    chm_transport* transport_ = nullptr;
    chm_session* session_ = nullptr;
    chm_exchange* exchange_ = nullptr;
    bool has_head_ = false;
    bool over_ = true;
    outcome outcome_;
};

} // namespace chimera::http_framing
