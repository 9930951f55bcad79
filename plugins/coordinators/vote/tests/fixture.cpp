#include "fixture.hpp"

#include <algorithm>
#include <utility>

#include "vote/little_endian.hpp"

namespace chimera::vote::testing {

const policy& all_levels() {
    static const policy p(policy::table{
        {"low", level::low}, {"medium", level::medium}, {"high", level::high}, {"critical", level::critical}});
    return p;
}

std::uint64_t hash_of(const statement& said) noexcept {
    const claim& c = said.claim;
    std::uint64_t h = mix(c.id.epoch, c.id.incarnation);
    h = mix(h, c.id.sequence);
    h = mix(h, static_cast<std::uint64_t>(c.phase) << 16 | static_cast<std::uint64_t>(c.level) << 8 |
                   static_cast<std::uint64_t>(c.choice));
    for (std::size_t i = 0; i < c.digest.size(); i += 8) h = mix(h, get<std::uint64_t>(&c.digest[i]));
    return mix(h, said.voter);
}

signature fake_signer::sign(const statement& said) const {
    signature s{};
    put(s.data(), hash_(said));
    return s;
}

bool fake_verifier::verify(const statement& said, const signature& by) const {
    return get<std::uint64_t>(by.data()) == hash_(said);
}

seed seed_of(std::uint64_t number) {
    seed s{};
    put(s.data(), number + 1);
    return s;
}

const rules& electorate::standard() {
    static const rules r;
    return r;
}

namespace {

std::unique_ptr<verifier> make_keys(std::uint32_t members, signed_hash fake,
                                    std::vector<std::unique_ptr<signer>>& signers) {
    std::vector<public_key> keys;
    for (std::uint32_t i = 0; i < members; ++i) {
        if (fake) {
            signers.push_back(std::make_unique<fake_signer>(fake));
            continue;
        }
        auto s = std::make_unique<ed25519_signer>(group_name, seed_of(i));
        keys.push_back(s->key());
        signers.push_back(std::move(s));
    }
    if (fake) return std::make_unique<fake_verifier>(fake);
    return std::make_unique<roster>(group_name, std::move(keys));
}

} // namespace

electorate::electorate(std::uint32_t members, signed_hash fake, const rules& r, limits l)
    : verifies(make_keys(members, fake, signers)), group{7, members, all_levels(), r, *verifies, l} {}

vote_message electorate::vote(const ballot& b, phase in, voter_number by, choice says) const {
    return vote(b.about().id, in, b.about().is, b.digest(), by, says);
}

vote_message electorate::vote(const ballot_id& id, phase in, level l, const digest& d, voter_number by,
                              choice says) const {
    vote_message v;
    v.statement = {{id, in, l, says, d}, by};
    if (is_signed(l)) v.signature = signers.at(by)->sign(v.statement);
    return v;
}

certificate electorate::prove(const claim& c, const std::vector<voter_number>& by) const {
    certificate result{c, {}};
    for (const voter_number v : by) result.endorsements.push_back({v, signers.at(v)->sign({c, v})});
    return result;
}

} // namespace chimera::vote::testing
