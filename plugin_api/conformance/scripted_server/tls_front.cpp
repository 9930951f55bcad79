#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include "../kit/expect.hpp"
#include "fronts.hpp"

namespace chimera::conformance {

namespace {

constexpr std::size_t longest_folder = 80; // of the 107 bytes of a socket's path

std::filesystem::path new_folder() {
    std::error_code none;
    std::string pattern = (std::filesystem::temp_directory_path(none) / "chimera-kit-XXXXXX").string();
    if (none || pattern.size() > longest_folder) pattern = "/tmp/chimera-kit-XXXXXX";
    if (!::mkdtemp(pattern.data())) throw std::system_error(errno, std::generic_category(), "mkdtemp " + pattern);
    return pattern;
}

void add_extension(X509& to, int what, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, &to, &to, nullptr, nullptr, 0);
    X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, what, value);
    expect(made && X509_add_ext(&to, made, -1), "the kit's certificate must be made");
    X509_EXTENSION_free(made);
}

void write_certificate(const tls_identity& identity, const std::filesystem::path& path) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(path.c_str(), "w"), BIO_free);
    expect(file && PEM_write_bio_X509(file.get(), identity.certificate.get()), "the kit's certificate must be written");
}

using namespace std::string_view_literals;

constexpr auto http1 = "\x08http/1.1"sv, http2 = "\x02h2"sv; // as ALPN writes them

int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered, unsigned int n,
                    void* wanted) noexcept {
    const auto ours = *static_cast<const std::string_view*>(wanted);
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, size, reinterpret_cast<const unsigned char*>(ours.data()),
                              static_cast<unsigned>(ours.size()), offered, n) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/// Bytes on their way in one direction.
struct passage {
    std::array<char, 16384> bytes;
    std::size_t at = 0, end = 0;

    bool empty() const noexcept { return at == end; }
    void fill(std::size_t n) noexcept { at = 0, end = n; }
};

/// One connection.
class carrier {
  public:
    carrier(SSL_CTX* context, int outer, int inner) : ssl_(SSL_new(context), SSL_free), outer_(outer), inner_(inner) {
        for (const int fd : {outer, inner}) ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
        SSL_set_fd(ssl_.get(), outer);
        SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }

    /// Until the client (false) or the server inside (true) has ended.
    bool carry() {
        for (bool ready = false; !ready;) {
            const int n = SSL_accept(ssl_.get());
            if (n > 0)
                ready = true;
            else if (!wait_for_outer(n))
                return false;
        }
        for (;;) {
            outer_events_ = inner_events_ = 0;
            moved_ = false;
            if (in_.empty() && !decrypt()) return false;
            if (out_.empty() && !take_from_server()) return true;
            if (!in_.empty() && !give_to_server()) in_.fill(0); // the server inside does not read
            if (!out_.empty() && !encrypt()) return false;
            if (moved_) continue;
            pollfd both[2] = {{outer_, outer_events_, 0}, {inner_events_ ? inner_ : -1, inner_events_, 0}};
            ::poll(both, 2, -1);
            if (outer_events_ == 0 && (both[0].revents & (POLLHUP | POLLERR))) return false;
        }
    }
    void end() { SSL_shutdown(ssl_.get()); }

  private:
    bool wait_for_outer(int result) {
        const int why = SSL_get_error(ssl_.get(), result);
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return false;
        pollfd p{outer_, static_cast<short>(why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
        ::poll(&p, 1, -1);
        return true;
    }
    /// Notes the event to wait for before the next try; false: the connection has ended.
    bool later(int result) {
        switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            outer_events_ |= POLLIN;
            return true;
        case SSL_ERROR_WANT_WRITE:
            outer_events_ |= POLLOUT;
            return true;
        default:
            return false;
        }
    }
    bool decrypt() {
        const int n = SSL_read(ssl_.get(), in_.bytes.data(), static_cast<int>(in_.bytes.size()));
        if (n <= 0) return later(n);
        in_.fill(static_cast<std::size_t>(n));
        return moved_ = true;
    }
    bool encrypt() {
        const int n = SSL_write(ssl_.get(), out_.bytes.data() + out_.at, static_cast<int>(out_.end - out_.at));
        if (n <= 0) return later(n);
        out_.at += static_cast<std::size_t>(n);
        return moved_ = true;
    }
    bool take_from_server() {
        const ssize_t n = ::recv(inner_, out_.bytes.data(), out_.bytes.size(), 0);
        if (n > 0) {
            out_.fill(static_cast<std::size_t>(n));
            return moved_ = true;
        }
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) inner_events_ |= POLLIN;
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    }
    bool give_to_server() {
        const ssize_t n = ::send(inner_, in_.bytes.data() + in_.at, in_.end - in_.at, MSG_NOSIGNAL);
        if (n > 0) {
            in_.at += static_cast<std::size_t>(n);
            return moved_ = true;
        }
        if (n < 0 && errno == EAGAIN) inner_events_ |= POLLOUT;
        return errno == EAGAIN || errno == EINTR;
    }

    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
    int outer_, inner_;
    passage in_, out_;
    short outer_events_ = 0, inner_events_ = 0;
    bool moved_ = false;
};

} // namespace

tls_identity tls_identity::made(const char* names) {
    tls_identity i;
    i.key = {EVP_EC_gen("P-256"), EVP_PKEY_free};
    i.certificate = {X509_new(), X509_free};
    expect(i.key && i.certificate, "the kit's key must be made");
    X509& c = *i.certificate;
    X509_set_version(&c, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(&c), 1);
    constexpr long hour = 3600;
    X509_gmtime_adj(X509_getm_notBefore(&c), -24 * hour);
    X509_gmtime_adj(X509_getm_notAfter(&c), 48 * hour);
    X509_NAME* name = X509_get_subject_name(&c);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1,
                               0);
    X509_set_issuer_name(&c, name);
    X509_set_pubkey(&c, i.key.get());
    add_extension(c, NID_basic_constraints, "critical,CA:TRUE"); // its own authority
    add_extension(c, NID_subject_key_identifier, "hash");
    add_extension(c, NID_subject_alt_name, names);
    add_extension(c, NID_ext_key_usage, "serverAuth");
    expect(X509_sign(&c, i.key.get(), EVP_sha256()) > 0, "the kit's certificate must be signed");
    return i;
}

server_room::server_room(const char* names) : folder_(new_folder()), identity_(tls_identity::made(names)) {
    write_certificate(identity_, ca_file());
}

server_room::~server_room() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::filesystem::path server_room::new_socket() const {
    static std::atomic<unsigned> number{0};
    return folder_ / (std::to_string(::getpid()) + "." + std::to_string(++number) + ".sock");
}

tls_front::tls_front(const tls_identity& identity, bool speaks_http2)
    : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
    expect(context_ && SSL_CTX_use_certificate(context_.get(), identity.certificate.get()) &&
               SSL_CTX_use_PrivateKey(context_.get(), identity.key.get()),
           "the kit's TLS must be set up");
    SSL_CTX_set_num_tickets(context_.get(), 0); // a client that has not read them would be reset by our close
    SSL_CTX_set_alpn_select_cb(context_.get(), choose_protocol,
                               const_cast<std::string_view*>(speaks_http2 ? &http2 : &http1));
}

void tls_front::carry(int outer, int inner, const stream_end& end) const {
    carrier both(context_.get(), outer, inner);
    const bool served = both.carry();
    if (served && end.reset) return;
    if (served) both.end();
    ::shutdown(inner, SHUT_RDWR);
    ::shutdown(outer, SHUT_RDWR);
}

} // namespace chimera::conformance
