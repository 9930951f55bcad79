#include "quic/tls_session.hpp"

#include <array>
#include <stdexcept>

namespace chimera::quic {

void gnutls_check(int result, const char* what) {
    if (result < 0) throw std::runtime_error(std::string(what) + ": " + gnutls_strerror(result));
}

std::string alert_text(unsigned alert) {
    const char* name = gnutls_alert_get_name(static_cast<gnutls_alert_description_t>(alert));
    return std::string(name ? name : "unknown alert") + " (" + std::to_string(alert) + ")";
}

tls_session::tls_session(std::shared_ptr<const credentials> who) : who_(std::move(who)) {
    const unsigned flags = GNUTLS_NO_TICKETS | GNUTLS_NO_AUTO_SEND_TICKET | GNUTLS_NO_END_OF_EARLY_DATA;
    gnutls_check(gnutls_init(&session_, flags | (who_->hub() ? GNUTLS_SERVER : GNUTLS_CLIENT)), "TLS session");
    try {
        // Sessions are not resumed, so the pointer for a session cache is free for our own.
        gnutls_db_set_ptr(session_, this);
        who_->equip(*this);
        static constexpr unsigned alpn_size = sizeof alpn - 1;
        std::array<unsigned char, alpn_size> name{};
        for (std::size_t i = 0; i < alpn_size; ++i) name[i] = static_cast<unsigned char>(alpn[i]);
        const gnutls_datum_t protocol{name.data(), alpn_size};
        gnutls_check(gnutls_alpn_set_protocols(session_, &protocol, 1, GNUTLS_ALPN_MANDATORY), "ALPN");
    } catch (...) {
        gnutls_deinit(session_);
        throw;
    }
}

tls_session::~tls_session() { gnutls_deinit(session_); }

tls_session& tls_session::of(gnutls_session_t session) {
    return *static_cast<tls_session*>(gnutls_db_get_ptr(session));
}

} // namespace chimera::quic
