// [internal] One TLS 1.3 session of a QUIC connection.
#pragma once

#include <memory>
#include <string>

#include <gnutls/gnutls.h>

#include "quic/credentials.hpp"

namespace chimera::quic {

/// The application protocol: a peer that does not speak it is refused during the handshake.
inline constexpr char alpn[] = "chimera/1";

/// Owns the session. Of one thread; does not move, because GnuTLS points to it.
class tls_session {
  public:
    /// No tickets, no early data: a connection lives as long as its member. Throws std::runtime_error.
    explicit tls_session(std::shared_ptr<const credentials> who);
    ~tls_session();
    tls_session(const tls_session&) = delete;
    tls_session& operator=(const tls_session&) = delete;

    [[nodiscard]] gnutls_session_t handle() const { return session_; }
    [[nodiscard]] const credentials& who() const { return *who_; }
    /// The tls_session of a GnuTLS callback.
    static tls_session& of(gnutls_session_t session);

    /// [hub, keys] The name the member offered, and whether the table has it. Not authenticated.
    std::string offered_name;
    bool offered_name_known = false;
    /// [certificates] What gnutls_session_set_verify_cert2() points to.
    gnutls_typed_vdata_st demands[2] = {};

  private:
    std::shared_ptr<const credentials> who_;
    gnutls_session_t session_ = nullptr;
};

/// "illegal_parameter (47)"
std::string alert_text(unsigned alert);

/// Throws std::runtime_error, saying what failed, if a GnuTLS call returned an error.
void gnutls_check(int result, const char* what);

} // namespace chimera::quic
