// A session: one multi handle, one easy handle, one keep-alive connection, one exchange at a time.
#pragma once

#include <string>

#include "curl_handle.hpp"
#include "exchange.hpp"
#include "multi_driver.hpp"
#include "transport.hpp"
#include "url.hpp"

namespace chimera::curl {

/// Used on its task's worker only.
class session final : public sdk::session_base<session> {
  public:
    /// Throws sdk::error.
    session(const settings& options, chm_reactor& reactor, base_url base);

    /// See chm_session_vt.start.
    chm_exchange* start(const chm_request& request);

  private:
    void make_easy();
    void set_constant_options();
    void set_proxy();
    void set_request(const chm_request& request);

    const settings& options_;
    const base_url base_;
    // curl refers to these during a request.
    std::string url_;
    std::string method_;
    std::string body_;
    header_list headers_;

    multi_driver driver_; // outlives easy_: curl's close callback goes there
    easy_handle easy_;    // of the exchange in hand, or the one before
    bool fresh_ = false;  // easy_ has served nothing yet
    exchange exchange_;
};

} // namespace chimera::curl
