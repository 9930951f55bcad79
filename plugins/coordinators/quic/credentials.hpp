// How the two ends of a connection prove who they are: by a key that both know, or by certificates.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::quic {

class tls_session;

/// Bytes that are overwritten before their memory is given back. Moves, does not copy.
class secret {
  public:
    secret() = default;
    explicit secret(std::span<const std::byte> bytes) : bytes_(bytes.begin(), bytes.end()) {}
    ~secret();
    secret(secret&&) = default;
    secret& operator=(secret&& other) noexcept;
    [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

  private:
    void wipe();
    std::vector<std::byte> bytes_;
};

/// One member's name and its key. The name: 1 to 64 printable ASCII characters. The key: 16 to 64 bytes.
struct member_key {
    std::string name;
    secret key;
};

/// Certificate (with its chain), its private key and the authorities to trust, as PEM text. Of the caller, who wipes
/// the key's text; GnuTLS keeps and wipes its own.
struct certificate_pem {
    std::string_view certificate;
    std::string_view private_key;
    std::string_view authorities;
};

/// One endpoint's credentials. Immutable and of any thread; shared by its connections. No text from here contains a
/// key.
class credentials {
  public:
    /// The hub's table of members. The name a member offers is its authenticated name, because only it has the key.
    /// Throws std::invalid_argument for a bad name or key and for a name that is there twice.
    static std::shared_ptr<const credentials> hub_with_keys(std::vector<member_key> members);
    /// Throws std::invalid_argument.
    static std::shared_ptr<const credentials> member_with_key(member_key self);
    /// The hub asks each member for a certificate by one of the authorities; the member's name is its first DNS name
    /// or, without one, its common name. Throws std::invalid_argument.
    static std::shared_ptr<const credentials> hub_with_certificate(const certificate_pem& pem);
    /// hub_name: a DNS name (or common name) that the hub's certificate must have. Throws std::invalid_argument.
    static std::shared_ptr<const credentials> member_with_certificate(const certificate_pem& pem, std::string hub_name);

    virtual ~credentials() = default;
    credentials(const credentials&) = delete;
    credentials& operator=(const credentials&) = delete;

    [[nodiscard]] virtual bool hub() const = 0;
    /// [while the session is made] Sets cipher suites, credentials and checks. Throws std::runtime_error.
    virtual void equip(tls_session& session) const = 0;
    /// [handshake complete] The authenticated name of the peer; "hub" for the hub of a key.
    [[nodiscard]] virtual std::string peer_name(tls_session& session) const = 0;
    /// Why this end refused the handshake, for people. alert: the TLS alert that was sent; 0: none.
    [[nodiscard]] virtual std::string why_refused_here(tls_session& session, unsigned alert) const = 0;
    /// Why the peer may have refused it with this TLS alert, for people.
    [[nodiscard]] virtual std::string why_refused_there(unsigned alert) const = 0;

  protected:
    credentials() = default;
};

} // namespace chimera::quic
