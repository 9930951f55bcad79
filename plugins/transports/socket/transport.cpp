#include "transport.hpp"

#include "chimera/sdk/plugin.hpp"

namespace chimera::socket {

chm_exchange* session::start(const chm_request& request) {
    if (exchange_.open())
        throw sdk::error(CHM_E_STATE, url_.origin + ": the session has an exchange open; close it before the next");
    exchange_.begin(request);
    return &exchange_;
}

chm_session* transport::open(const chm_session_args& args) {
    const stream_socket::base_url& url = parsed(sdk::view(args.base_url));
    if (args.reactor == nullptr)
        throw sdk::error(CHM_E_NOSYS, url.origin + ": the socket transport needs a reactor, and this executor has none "
                                                   "(choose another executor, or bridge to a [foreign] one)");
    return new session(url, settings_, names_, args.reactor);
}

const stream_socket::base_url& transport::parsed(std::string_view url) {
    const std::lock_guard lock(mutex_);
    const auto known = urls_.find(url);
    if (known != urls_.end()) return known->second;
    return urls_.emplace(url, stream_socket::base_url::parse(url)).first->second;
}

const void* transport::extension(std::string_view id) noexcept {
    static constexpr chm_timing_ext timing{sizeof(chm_timing_ext), 0,
                                           [](const chm_exchange* x, chm_exchange_timing* out) noexcept {
                                               sdk::copy_timing(out, static_cast<const exchange*>(x)->timing());
                                           }};
    return id == CHM_EXT_TIMING ? &timing : nullptr;
}

} // namespace chimera::socket
