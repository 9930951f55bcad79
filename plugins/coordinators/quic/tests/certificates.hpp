// Certificates made for a test: an authority, and what it certifies.
#pragma once

#include <ctime>
#include <string>

#include <gnutls/x509.h>

namespace chimera::quic::test {

struct issued {
    std::string certificate, key; ///< PEM
};

struct validity {
    std::time_t from = std::time(nullptr) - 3600, until = std::time(nullptr) + 3600;
};

/// Ed25519, whose signatures are of one size: traces repeat.
class authority {
  public:
    explicit authority(const std::string& name);
    ~authority();
    authority(const authority&) = delete;
    authority& operator=(const authority&) = delete;

    /// dns: "" for none.
    [[nodiscard]] issued issue(const std::string& common_name, const std::string& dns, validity times = {}) const;
    [[nodiscard]] const std::string& pem() const { return pem_; }

  private:
    gnutls_x509_privkey_t key_ = nullptr;
    gnutls_x509_crt_t certificate_ = nullptr;
    std::string pem_;
};

} // namespace chimera::quic::test
