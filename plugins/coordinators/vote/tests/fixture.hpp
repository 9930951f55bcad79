// A group of voters with real keys, or with a fake signature that is fast and that only its own voter can make here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "vote/ballot_box.hpp"
#include "vote/rules.hpp"
#include "vote/signing.hpp"
#include "vote/voter.hpp"

namespace chimera::vote::testing {

inline constexpr std::string_view group_name = "test group";

/// Has actions of all levels: "low" to "critical".
const policy& all_levels();

inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
    a ^= b + 0x9e3779b97f4a7c15ULL + (a << 6) + (a >> 2);
    a = (a ^ (a >> 30)) * 0xbf58476d1ce4e5b9ULL;
    return a ^ (a >> 27);
}
std::uint64_t hash_of(const statement& said) noexcept;

/// Not a signature: a hash that the verifier computes as well. Sound as long as a test signs for a voter with the
/// voter's signer only.
using signed_hash = std::uint64_t (*)(const statement&) noexcept;
class fake_signer : public signer {
  public:
    explicit fake_signer(signed_hash h) : hash_(h) {}
    signature sign(const statement& said) const override;

  private:
    signed_hash hash_;
};
class fake_verifier : public verifier {
  public:
    explicit fake_verifier(signed_hash h) : hash_(h) {}
    bool verify(const statement& said, const signature& by) const override;

  private:
    signed_hash hash_;
};
inline constexpr signed_hash real_keys = nullptr;

seed seed_of(std::uint64_t number);

/// n voters' keys and the group; everything lives here. Not copied.
struct electorate {
    explicit electorate(std::uint32_t members, signed_hash fake = real_keys, const rules& r = standard(),
                        limits l = {});
    electorate(const electorate&) = delete;
    static const rules& standard();

    std::vector<std::unique_ptr<signer>> signers;
    std::unique_ptr<verifier> verifies;
    vote::group group;

    vote::voter voter(voter_number number) const { return {group, number, *signers.at(number)}; }
    /// Signed where its level asks for it.
    vote_message vote(const ballot& b, phase in, voter_number by, choice says) const;
    vote_message vote(const ballot_id& id, phase in, level l, const digest& d, voter_number by, choice says) const;
    certificate prove(const claim& c, const std::vector<voter_number>& by) const;
};

} // namespace chimera::vote::testing
