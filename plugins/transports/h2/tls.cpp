#include "tls.hpp"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509v3.h>

#include <array>
#include <new>

#include "chimera/sdk/error.hpp"

namespace chimera::h2 {

namespace {

constexpr std::array<unsigned char, 3> only_h2{2, 'h', '2'};

std::string openssl_says() {
    const unsigned long code = ERR_peek_error();
    if (code == 0) return "no reason given";
    const char* const reason = ERR_reason_error_string(code);
    return reason ? reason : "error " + std::to_string(code);
}

} // namespace

tls_context::tls_context(const std::string& ca_file, bool verify)
    : raw_(SSL_CTX_new(TLS_client_method())), verify_(verify) {
    if (!raw_) throw sdk::error(CHM_E_TLS, "OpenSSL makes no context: " + openssl_says());
    SSL_CTX_set_min_proto_version(raw_.get(), TLS1_2_VERSION); // RFC 9113 9.2
    SSL_CTX_set_options(raw_.get(), SSL_OP_NO_RENEGOTIATION);  // RFC 9113 9.2.1
    SSL_CTX_set_mode(raw_.get(), SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_protos(raw_.get(), only_h2.data(), only_h2.size());
    SSL_CTX_set_verify(raw_.get(), verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    if (!verify) return;
    const int loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(raw_.get())
                                       : SSL_CTX_load_verify_file(raw_.get(), ca_file.c_str());
    if (loaded != 1)
        throw sdk::error(CHM_E_TLS, "the trusted certificates" + (ca_file.empty() ? "" : " in '" + ca_file + "'") +
                                        " cannot be read: " + openssl_says());
}

tls_channel::tls_channel(const tls_context& context, const stream_socket::base_url& url)
    : raw_(SSL_new(context.get())), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
    if (!raw_ || !in_ || !out_) {
        BIO_free(in_);
        BIO_free(out_);
        throw std::bad_alloc();
    }
    BIO_set_mem_eof_return(in_, -1); // empty: ask again later
    SSL_set_bio(raw_.get(), in_, out_);
    SSL_set_connect_state(raw_.get());
    // The macro SSL_set_tlsext_host_name casts constness away in C's way.
    std::string host = url.host;
    if (!url.literal) SSL_ctrl(raw_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data());
    if (!context.verifies()) return;
    // [::1] without its brackets; a name otherwise.
    X509_VERIFY_PARAM* const check = SSL_get0_param(raw_.get());
    if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
    if (url.literal ? X509_VERIFY_PARAM_set1_ip_asc(check, host.c_str()) != 1
                    : X509_VERIFY_PARAM_set1_host(check, host.c_str(), 0) != 1)
        throw sdk::error(CHM_E_TLS, "'" + host + "' cannot be checked against a certificate");
}

bool tls_channel::handshake(std::string& to_send) {
    ERR_clear_error();
    const int rc = SSL_do_handshake(raw_.get());
    collect(to_send);
    if (rc != 1) {
        const int why = SSL_get_error(raw_.get(), rc);
        if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return false;
        fail("TLS handshake: ");
    }
    const unsigned char* chosen = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(raw_.get(), &chosen, &length);
    if (std::string_view(reinterpret_cast<const char*>(chosen), length) != "h2")
        throw sdk::error(CHM_E_PROTO, "the server does not choose HTTP/2 (ALPN): use the socket or curl transport");
    return true;
}

void tls_channel::received(std::string_view bytes) {
    if (BIO_write(in_, bytes.data(), static_cast<int>(bytes.size())) != static_cast<int>(bytes.size()))
        throw std::bad_alloc();
}

std::size_t tls_channel::read(char* to, std::size_t capacity) {
    ERR_clear_error();
    std::size_t n = 0;
    if (SSL_read_ex(raw_.get(), to, capacity, &n) == 1) return n;
    const int why = SSL_get_error(raw_.get(), 0);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_ZERO_RETURN) return 0;
    fail("TLS: ");
}

void tls_channel::write(std::string_view bytes, std::string& to_send) {
    ERR_clear_error();
    std::size_t n = 0;
    if (!bytes.empty() && SSL_write_ex(raw_.get(), bytes.data(), bytes.size(), &n) != 1) fail("TLS: ");
    collect(to_send);
}

void tls_channel::collect(std::string& to_send) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(out_, &data);
    if (size > 0) to_send.append(data, static_cast<std::size_t>(size));
    static_cast<void>(BIO_reset(out_));
}

void tls_channel::fail(const char* doing) const {
    // Without verification there is a verdict too, and the failure has another cause.
    const long verdict = SSL_get_verify_result(raw_.get());
    if (SSL_get_verify_mode(raw_.get()) != SSL_VERIFY_NONE && verdict != X509_V_OK)
        throw sdk::error(CHM_E_TLS,
                         std::string(doing) + "the server's certificate: " + X509_verify_cert_error_string(verdict));
    if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL)
        throw sdk::error(CHM_E_PROTO, "the server does not offer HTTP/2 (ALPN): use the socket or curl transport");
    throw sdk::error(CHM_E_TLS, doing + openssl_says());
}

} // namespace chimera::h2
