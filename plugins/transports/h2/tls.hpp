// TLS on bytes: OpenSSL decrypts and encrypts the bytes of a connection without a socket of its own.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "stream_socket/base_url.hpp"

namespace chimera::h2 {

/// Shared by all connections of a transport: trusted certificates, and "h2" as the only protocol.
class tls_context {
  public:
    /// ca_file: PEM; empty: the system's. Throws sdk::error(CHM_E_TLS).
    tls_context(const std::string& ca_file, bool verify);
    SSL_CTX* get() const noexcept { return raw_.get(); }
    bool verifies() const noexcept { return verify_; }

  private:
    struct freed {
        void operator()(SSL_CTX* c) const noexcept { SSL_CTX_free(c); }
    };
    std::unique_ptr<SSL_CTX, freed> raw_;
    const bool verify_;
};

/// One connection's TLS. Bytes of the network go in through received() and come out of to_send. Used under the
/// connection's lock. Functions throw sdk::error(CHM_E_TLS), CHM_E_PROTO where the server does not choose HTTP/2, and
/// CHM_E_CLOSED after the server's close_notify.
class tls_channel {
  public:
    tls_channel(const tls_context& context, const stream_socket::base_url& url);

    /// Goes on with the handshake; true once it is complete. Call again after received().
    bool handshake(std::string& to_send);
    void received(std::string_view bytes);
    /// Decrypted bytes, up to capacity; 0: none for now.
    std::size_t read(char* to, std::size_t capacity);
    /// Encrypts.
    void write(std::string_view bytes, std::string& to_send);
    /// The server has said that it closes.
    bool ended() const noexcept { return (SSL_get_shutdown(raw_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

  private:
    struct freed {
        void operator()(SSL* s) const noexcept { SSL_free(s); }
    };
    void collect(std::string& to_send);
    [[noreturn]] void fail(const char* doing) const;

    std::unique_ptr<SSL, freed> raw_;
    BIO* in_;  // the SSL's
    BIO* out_; // likewise
};

} // namespace chimera::h2
