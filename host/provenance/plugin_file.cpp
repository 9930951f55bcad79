#include "provenance/collect.hpp"
#include "registry/checked_file.hpp"
#include "registry/registry.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include <unistd.h>

namespace chimera::host {
namespace {

/// Of a whole open file; nothing where it cannot be read.
std::optional<std::string> sha256_of(int fd) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    if (fd < 0 || !hash || EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr) != 1) return std::nullopt;
    std::vector<unsigned char> piece(1U << 16U);
    for (off_t at = 0;;) {
        const ssize_t n = pread(fd, piece.data(), piece.size(), at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return std::nullopt;
        if (n == 0) break;
        EVP_DigestUpdate(hash.get(), piece.data(), static_cast<std::size_t>(n));
        at += n;
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_DigestFinal_ex(hash.get(), digest.data(), &length);
    std::string out;
    for (unsigned i = 0; i < length; ++i) out += fmt::format("{:02x}", digest.at(i));
    return out;
}

} // namespace

plugin_identity identity_of(const plugin& p) {
    return {p.entry().id, p.entry().version, p.path(), sha256_of(p.file().descriptor())};
}

} // namespace chimera::host
