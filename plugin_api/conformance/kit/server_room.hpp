// What the servers of a run share: a folder for their sockets, and a certificate that clients can trust.
#pragma once

#include <filesystem>
#include <memory>

struct evp_pkey_st;
struct x509_st;

namespace chimera::conformance {

/// A key and a certificate for "localhost", 127.0.0.1 and ::1, made in memory.
struct tls_identity {
    std::shared_ptr<evp_pkey_st> key;
    std::shared_ptr<x509_st> certificate;

    /// Throws failure where OpenSSL does.
    static tls_identity made();
};

/// Made by the process that forks the cases, so that it is removed whatever becomes of them.
class server_room {
  public:
    /// Throws std::system_error, or failure.
    server_room();
    server_room(const server_room&) = delete;
    server_room& operator=(const server_room&) = delete;
    ~server_room();

    const tls_identity& identity() const noexcept { return identity_; }
    /// A PEM file with the certificate.
    std::filesystem::path ca_file() const { return folder_ / "ca.pem"; }
    /// [any thread] Where a socket may be, on a path that no other server has.
    std::filesystem::path new_socket() const;

  private:
    std::filesystem::path folder_;
    tls_identity identity_;
};

} // namespace chimera::conformance
