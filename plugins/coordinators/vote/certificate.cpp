#include "vote/certificate.hpp"

#include <algorithm>

#include "vote/little_endian.hpp"

namespace chimera::vote {

namespace {

constexpr std::array<std::uint8_t, 5> mark = {'C', 'H', 'V', 'C', 1};
constexpr std::size_t head_size = 68;
constexpr std::size_t vote_size = 4 + std::tuple_size_v<signature>;

} // namespace

std::vector<std::uint8_t> to_bytes(const certificate& c) {
    std::vector<std::uint8_t> bytes(head_size + c.endorsements.size() * vote_size);
    std::uint8_t* const at = bytes.data();
    std::copy(mark.begin(), mark.end(), at);
    at[5] = static_cast<std::uint8_t>(c.claim.phase);
    at[6] = static_cast<std::uint8_t>(c.claim.level);
    at[7] = static_cast<std::uint8_t>(c.claim.choice);
    put(at + 8, c.claim.id.epoch);
    put(at + 16, c.claim.id.incarnation);
    put(at + 24, c.claim.id.sequence);
    std::copy(c.claim.digest.begin(), c.claim.digest.end(), at + 32);
    put(at + 64, static_cast<std::uint32_t>(c.endorsements.size()));
    std::uint8_t* to = at + head_size;
    for (const endorsement& e : c.endorsements) {
        put(to, e.voter);
        std::copy(e.signature.begin(), e.signature.end(), to + 4);
        to += vote_size;
    }
    return bytes;
}

std::optional<certificate> certificate_from(std::span<const std::uint8_t> bytes) {
    if (bytes.size() < head_size || !std::equal(mark.begin(), mark.end(), bytes.begin())) return std::nullopt;
    const std::uint8_t* const at = bytes.data();
    certificate c;
    c.claim.phase = phase{at[5]};
    c.claim.level = level{at[6]};
    c.claim.choice = choice{at[7]};
    if (!is_phase(c.claim.phase) || !is_level(c.claim.level) || !is_choice(c.claim.choice)) return std::nullopt;
    c.claim.id = {get<std::uint64_t>(at + 8), get<std::uint64_t>(at + 16), get<std::uint64_t>(at + 24)};
    std::copy_n(at + 32, c.claim.digest.size(), c.claim.digest.begin());
    const auto votes = get<std::uint32_t>(at + 64);
    if (votes > most_voters || bytes.size() != head_size + votes * vote_size) return std::nullopt;
    c.endorsements.resize(votes);
    const std::uint8_t* from = at + head_size;
    for (endorsement& e : c.endorsements) {
        e.voter = get<std::uint32_t>(from);
        std::copy_n(from + 4, e.signature.size(), e.signature.begin());
        if (e.voter >= most_voters || (&e != c.endorsements.data() && e.voter <= (&e - 1)->voter)) return std::nullopt;
        from += vote_size;
    }
    return c;
}

} // namespace chimera::vote
