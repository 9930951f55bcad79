#include "provenance/collect.hpp"
#include "registry/checked_file.hpp"
#include "registry/registry.hpp"

#include <fmt/ranges.h>
#include <nettle/sha2.h>

#include <array>
#include <cerrno>
#include <vector>

#include <unistd.h>

namespace chimera::host {
namespace {

/// Of a whole open file; nothing where it cannot be read.
std::optional<std::string> sha256_of(int fd) {
    if (fd < 0) return std::nullopt;
    sha256_ctx hash{};
    sha256_init(&hash);
    std::vector<unsigned char> piece(1U << 16U);
    for (off_t at = 0;;) {
        const ssize_t n = pread(fd, piece.data(), piece.size(), at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return std::nullopt;
        if (n == 0) break;
        sha256_update(&hash, static_cast<std::size_t>(n), piece.data());
        at += n;
    }
    std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest{};
    sha256_digest(&hash, digest.size(), digest.data());
    return fmt::format("{:02x}", fmt::join(digest, ""));
}

} // namespace

plugin_identity identity_of(const plugin& p) {
    return {p.entry().id, p.entry().version, p.path(), sha256_of(p.file().descriptor())};
}

} // namespace chimera::host
