#include "transport.hpp"

#include "chimera/sdk/plugin.hpp"

namespace chimera::h2 {

chm_exchange* session::start(const chm_request& request) {
    if (exchange_.open())
        throw sdk::error(CHM_E_STATE, url_.origin + ": the session has an exchange open; close it before the next");
    exchange_.begin(request);
    return &exchange_;
}

transport::transport(const chm_host* host, const sdk::options& given) : core_(std::make_shared<core>(host, given)) {
    static const chm_transport_vt shares_nothing = [this] {
        chm_transport_vt table = *vt;
        table.flags &= ~std::uint32_t{CHM_TRANSPORT_SHARED};
        return table;
    }();
    if (!core_->limits.shared) vt = &shares_nothing;
}

chm_session* transport::open(const chm_session_args& args) {
    auto url = stream_socket::base_url::parse(sdk::view(args.base_url), "h2", stream_socket::base_url::offered);
    if (args.reactor == nullptr)
        throw sdk::error(CHM_E_NOSYS, url.origin + ": the h2 transport needs a reactor, and this executor has none "
                                                   "(choose another executor, or bridge to a [foreign] one)");
    const core::user who{args.executor, sdk::service_of(args.executor), args.reactor};
    if (core_->limits.shared && who.services == nullptr)
        throw sdk::error(CHM_E_NOSYS, url.origin +
                                          ": this executor has no services (" CHM_EXT_SERVICE
                                          "), which read a connection that sessions share: set the h2 "
                                          "transport's option share = \"session\", or choose another executor");
    if (url.tls) static_cast<void>(core_->tls());
    return new session(core_, who, std::move(url));
}

const void* transport::extension(std::string_view id) noexcept {
    static constexpr chm_timing_ext timing{sizeof(chm_timing_ext), 0,
                                           [](const chm_exchange* x, chm_exchange_timing* out) noexcept {
                                               sdk::copy_timing(out, static_cast<const exchange*>(x)->timing());
                                           }};
    return id == CHM_EXT_TIMING ? &timing : nullptr;
}

} // namespace chimera::h2
