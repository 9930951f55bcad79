#include "quic/credentials.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <unordered_map>

#include <gnutls/x509.h>

#include "quic/tls_session.hpp"

namespace chimera::quic {

secret::~secret() { wipe(); }

secret& secret::operator=(secret&& other) noexcept {
    wipe();
    bytes_ = std::move(other.bytes_);
    return *this;
}

void secret::wipe() {
    if (!bytes_.empty()) gnutls_memset(bytes_.data(), 0, bytes_.size());
}

namespace {

template <class Credential, int (*Allocate)(Credential*), void (*Free)(Credential)>
class gnutls_owned {
  public:
    gnutls_owned() { gnutls_check(Allocate(&it_), "TLS credentials"); }
    ~gnutls_owned() { Free(it_); }
    gnutls_owned(const gnutls_owned&) = delete;
    gnutls_owned& operator=(const gnutls_owned&) = delete;
    [[nodiscard]] Credential get() const { return it_; }

  private:
    Credential it_ = nullptr;
};
using psk_server = gnutls_owned<gnutls_psk_server_credentials_t, gnutls_psk_allocate_server_credentials,
                                gnutls_psk_free_server_credentials>;
using psk_client = gnutls_owned<gnutls_psk_client_credentials_t, gnutls_psk_allocate_client_credentials,
                                gnutls_psk_free_client_credentials>;
using x509 = gnutls_owned<gnutls_certificate_credentials_t, gnutls_certificate_allocate_credentials,
                          gnutls_certificate_free_credentials>;

// An external key's hash is SHA-256, which rules AES-256-GCM (SHA-384) out. Nothing is signed,
// but GnuTLS takes no list without a signature algorithm.
constexpr char key_priority[] =
    "NONE:+VERS-TLS1.3:+AES-128-GCM:+CHACHA20-POLY1305:+AEAD:+ECDHE-PSK:+GROUP-X25519:+GROUP-SECP256R1:+COMP-NULL:"
    "+SIGN-EDDSA-ED25519:%DISABLE_TLS13_COMPAT_MODE";
constexpr char certificate_priority[] =
    "NONE:+VERS-TLS1.3:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:+AEAD:+ECDHE-RSA:+ECDHE-ECDSA:+GROUP-X25519:"
    "+GROUP-SECP256R1:+SIGN-EDDSA-ED25519:+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SECP384R1-SHA384:"
    "+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-RSAE-SHA384:+SIGN-RSA-SHA256:+SIGN-ECDSA-SHA256:+CTYPE-X509:+COMP-NULL:"
    "%DISABLE_TLS13_COMPAT_MODE";

// GnuTLS reads through these and takes them as not const.
gnutls_datum_t datum(std::span<const std::byte> bytes) {
    return {const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(bytes.data())),
            static_cast<unsigned>(bytes.size())};
}
gnutls_datum_t datum(std::string_view text) { return datum(std::as_bytes(std::span(text.data(), text.size()))); }

void check_name(std::string_view name, const char* what) {
    const auto printable = [](char c) { return c > ' ' && c < 127; };
    if (name.empty() || name.size() > 64 || !std::all_of(name.begin(), name.end(), printable))
        throw std::invalid_argument(std::string(what) + ": not 1 to 64 printable ASCII characters without spaces");
}

void check_member(const member_key& member) {
    check_name(member.name, "name of a member");
    const auto size = member.key.bytes().size();
    if (size < 16 || size > 64)
        throw std::invalid_argument("key of member \"" + member.name + "\": " + std::to_string(size) +
                                    " bytes, not 16 to 64");
}

class hub_keys final : public credentials {
  public:
    explicit hub_keys(std::vector<member_key> members) {
        if (members.empty()) throw std::invalid_argument("no keys: the hub would let nobody in");
        for (auto& member : members) {
            check_member(member);
            if (!keys_.try_emplace(member.name, std::move(member.key)).second)
                throw std::invalid_argument("member \"" + member.name + "\" has two keys");
        }
        gnutls_psk_set_server_credentials_function2(tls_.get(), &hub_keys::find_key);
    }
    [[nodiscard]] bool hub() const override { return true; }
    void equip(tls_session& session) const override {
        gnutls_check(gnutls_priority_set_direct(session.handle(), key_priority, nullptr), "TLS priorities");
        gnutls_check(gnutls_credentials_set(session.handle(), GNUTLS_CRD_PSK, tls_.get()), "TLS credentials");
    }
    [[nodiscard]] std::string peer_name(tls_session& session) const override { return session.offered_name; }
    [[nodiscard]] std::string why_refused_here(tls_session& session, unsigned alert) const override {
        if (session.offered_name.empty()) return "the peer offered no key of ours: TLS alert " + alert_text(alert);
        if (!session.offered_name_known) return "unknown member \"" + session.offered_name + "\"";
        return "wrong key of member \"" + session.offered_name + "\"";
    }
    [[nodiscard]] std::string why_refused_there(unsigned alert) const override {
        return "the member refused the handshake: TLS alert " + alert_text(alert);
    }

  private:
    static int find_key(gnutls_session_t handle, const gnutls_datum_t* name, gnutls_datum_t* key) {
        auto& session = tls_session::of(handle);
        const auto& self = static_cast<const hub_keys&>(session.who());
        std::string_view offered(reinterpret_cast<const char*>(name->data), name->size);
        // For messages: a stranger's bytes are not printed.
        const auto printable = [](char c) { return c > ' ' && c < 127; };
        const bool plain = offered.size() <= 64 && std::all_of(offered.begin(), offered.end(), printable);
        session.offered_name = plain ? std::string(offered) : "(not printable)";
        const auto found = self.keys_.find(session.offered_name);
        session.offered_name_known = plain && found != self.keys_.end();
        // GnuTLS goes on with a random key, so that a stranger cannot tell an unknown name from a wrong key.
        if (!session.offered_name_known) return 1;
        const auto bytes = found->second.bytes();
        key->data = static_cast<unsigned char*>(gnutls_malloc(bytes.size()));
        if (!key->data) return -1;
        std::copy_n(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), key->data);
        key->size = static_cast<unsigned>(bytes.size());
        return 0;
    }

    psk_server tls_;
    std::unordered_map<std::string, secret> keys_;
};

class one_key final : public credentials {
  public:
    explicit one_key(const member_key& self) : name_(self.name) {
        check_member(self);
        const auto name = datum(std::string_view(name_));
        const auto key = datum(self.key.bytes());
        gnutls_check(gnutls_psk_set_client_credentials2(tls_.get(), &name, &key, GNUTLS_PSK_KEY_RAW),
                     "TLS credentials");
    }
    [[nodiscard]] bool hub() const override { return false; }
    void equip(tls_session& session) const override {
        gnutls_check(gnutls_priority_set_direct(session.handle(), key_priority, nullptr), "TLS priorities");
        gnutls_check(gnutls_credentials_set(session.handle(), GNUTLS_CRD_PSK, tls_.get()), "TLS credentials");
    }
    [[nodiscard]] std::string peer_name(tls_session&) const override { return "hub"; }
    [[nodiscard]] std::string why_refused_here(tls_session&, unsigned alert) const override {
        return "the hub does not prove that it has the key of \"" + name_ + "\": TLS alert " + alert_text(alert);
    }
    [[nodiscard]] std::string why_refused_there(unsigned alert) const override {
        return "the hub refused \"" + name_ + "\": it does not know the name, or has another key for it (TLS alert " +
               alert_text(alert) + ")";
    }

  private:
    std::string name_;
    psk_client tls_;
};

std::string subject_name(gnutls_session_t session) {
    unsigned count = 0;
    const auto* chain = gnutls_certificate_get_peers(session, &count);
    gnutls_x509_crt_t leaf = nullptr;
    if (count == 0 || gnutls_x509_crt_init(&leaf) < 0) return {};
    std::string name;
    if (gnutls_x509_crt_import(leaf, chain, GNUTLS_X509_FMT_DER) >= 0) {
        char text[256];
        std::size_t size = sizeof text;
        unsigned type = 0;
        for (unsigned i = 0; name.empty(); ++i) {
            size = sizeof text;
            const int kind = gnutls_x509_crt_get_subject_alt_name2(leaf, i, text, &size, &type, nullptr);
            if (kind < 0) break;
            if (kind == GNUTLS_SAN_DNSNAME) name.assign(text, size);
        }
        size = sizeof text;
        if (name.empty() && gnutls_x509_crt_get_dn_by_oid(leaf, GNUTLS_OID_X520_COMMON_NAME, 0, 0, text, &size) >= 0)
            name.assign(text, size);
    }
    gnutls_x509_crt_deinit(leaf);
    return name;
}

/// Whether the first certificate of a PEM text has this key. GnuTLS checks it for some kinds of keys only.
bool belong_together(const gnutls_datum_t& certificate, const gnutls_datum_t& key) {
    gnutls_x509_crt_t c = nullptr;
    gnutls_x509_privkey_t k = nullptr;
    std::array<unsigned char, 64> of_certificate{}, of_key{};
    auto certificate_size = of_certificate.size(), key_size = of_key.size();
    const bool same =
        gnutls_x509_crt_init(&c) >= 0 && gnutls_x509_privkey_init(&k) >= 0 &&
        gnutls_x509_crt_import(c, &certificate, GNUTLS_X509_FMT_PEM) >= 0 &&
        gnutls_x509_privkey_import2(k, &key, GNUTLS_X509_FMT_PEM, nullptr, 0) >= 0 &&
        gnutls_x509_crt_get_key_id(c, GNUTLS_KEYID_USE_SHA256, of_certificate.data(), &certificate_size) >= 0 &&
        gnutls_x509_privkey_get_key_id(k, GNUTLS_KEYID_USE_SHA256, of_key.data(), &key_size) >= 0 &&
        of_certificate == of_key;
    gnutls_x509_crt_deinit(c);
    gnutls_x509_privkey_deinit(k);
    return same;
}

class certificates final : public credentials {
  public:
    /// peer: the name to demand; empty: any that the authorities certify, as a hub does.
    certificates(const certificate_pem& pem, bool hub, std::string peer) : hub_(hub), peer_(std::move(peer)) {
        const auto certificate = datum(pem.certificate);
        const auto key = datum(pem.private_key);
        const auto authorities = datum(pem.authorities);
        if (const int e =
                gnutls_certificate_set_x509_key_mem2(tls_.get(), &certificate, &key, GNUTLS_X509_FMT_PEM, nullptr, 0);
            e < 0)
            throw std::invalid_argument(std::string("certificate or private key: ") + gnutls_strerror(e));
        if (!belong_together(certificate, key))
            throw std::invalid_argument("certificate or private key: the key is of another certificate");
        const int count = gnutls_certificate_set_x509_trust_mem(tls_.get(), &authorities, GNUTLS_X509_FMT_PEM);
        if (count < 0) throw std::invalid_argument(std::string("authorities: ") + gnutls_strerror(count));
        if (count == 0) throw std::invalid_argument("authorities: no certificate in this text");
    }
    [[nodiscard]] bool hub() const override { return hub_; }
    void equip(tls_session& session) const override {
        auto* handle = session.handle();
        gnutls_check(gnutls_priority_set_direct(handle, certificate_priority, nullptr), "TLS priorities");
        gnutls_check(gnutls_credentials_set(handle, GNUTLS_CRD_CERTIFICATE, tls_.get()), "TLS credentials");
        if (hub_) {
            gnutls_certificate_server_set_request(handle, GNUTLS_CERT_REQUIRE);
            // 1: without the names of our authorities. They are nobody's business, and a member that has no certificate
            // by one of them would send none, and not learn why it is refused.
            gnutls_certificate_send_x509_rdn_sequence(handle, 1);
        }
        static char as_client[] = GNUTLS_KP_TLS_WWW_CLIENT;
        static char as_server[] = GNUTLS_KP_TLS_WWW_SERVER;
        auto set = [&](std::size_t i, gnutls_vdata_types_t type, const char* text) {
            session.demands[i].type = type;
            session.demands[i].data = reinterpret_cast<unsigned char*>(const_cast<char*>(text));
            session.demands[i].size = 0;
        };
        set(0, GNUTLS_DT_KEY_PURPOSE_OID, hub_ ? as_client : as_server);
        if (!peer_.empty()) set(1, GNUTLS_DT_DNS_HOSTNAME, peer_.c_str());
        gnutls_session_set_verify_cert2(handle, session.demands, peer_.empty() ? 1 : 2, 0);
    }
    [[nodiscard]] std::string peer_name(tls_session& session) const override {
        return hub_ ? subject_name(session.handle()) : peer_;
    }
    [[nodiscard]] std::string why_refused_here(tls_session& session, unsigned alert) const override {
        const std::string whose = hub_ ? "the member's certificate" : "the hub's certificate";
        const unsigned status = gnutls_session_get_verify_cert_status(session.handle());
        gnutls_datum_t text{};
        if (status == 0 || status == static_cast<unsigned>(-1) ||
            gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) < 0)
            return (hub_ ? "no usable certificate from the member: TLS alert "
                         : "no agreement with the hub on certificates: TLS alert ") +
                   alert_text(alert);
        std::string result = whose + " is refused: " + reinterpret_cast<const char*>(text.data);
        gnutls_free(text.data);
        while (!result.empty() && result.back() == ' ') result.pop_back();
        return result;
    }
    [[nodiscard]] std::string why_refused_there(unsigned alert) const override {
        if (alert == GNUTLS_A_HANDSHAKE_FAILURE)
            return "no agreement on how to prove who we are; keys on one side and certificates on the other? TLS "
                   "alert " +
                   alert_text(alert);
        return (hub_ ? "the member refused our certificate: TLS alert "
                     : "the hub refused our certificate: TLS alert ") +
               alert_text(alert);
    }

  private:
    bool hub_;
    std::string peer_;
    x509 tls_;
};

} // namespace

std::shared_ptr<const credentials> credentials::hub_with_keys(std::vector<member_key> members) {
    return std::make_shared<hub_keys>(std::move(members));
}

std::shared_ptr<const credentials> credentials::member_with_key(member_key self) {
    return std::make_shared<one_key>(self);
}

std::shared_ptr<const credentials> credentials::hub_with_certificate(const certificate_pem& pem) {
    return std::make_shared<certificates>(pem, true, std::string());
}

std::shared_ptr<const credentials> credentials::member_with_certificate(const certificate_pem& pem,
                                                                        std::string hub_name) {
    check_name(hub_name, "name of the hub");
    return std::make_shared<certificates>(pem, false, std::move(hub_name));
}

} // namespace chimera::quic
