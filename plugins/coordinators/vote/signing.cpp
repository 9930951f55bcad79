#include "vote/signing.hpp"

#include <algorithm>
#include <cstring>
#include <sodium.h>
#include <stdexcept>

#include "vote/little_endian.hpp"

namespace chimera::vote {

namespace {

constexpr std::string_view vote_domain = "chimera.vote/1";
constexpr std::string_view proposal_domain = "chimera.proposal/1";
constexpr std::string_view group_domain = "chimera.group/1";

void start_libsodium() {
    if (sodium_init() < 0) throw std::runtime_error("libsodium does not start");
}

class hasher {
  public:
    hasher() { crypto_generichash_init(&state_, nullptr, 0, std::tuple_size_v<digest>); }
    /// With its length, so that no two sequences of parts have the same bytes.
    void part(std::string_view bytes) {
        number(bytes.size());
        crypto_generichash_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    }
    void number(std::uint64_t n) {
        std::array<std::uint8_t, 8> bytes{};
        put(bytes.data(), n);
        crypto_generichash_update(&state_, bytes.data(), bytes.size());
    }
    digest end() {
        digest result{};
        crypto_generichash_final(&state_, result.data(), result.size());
        return result;
    }

  private:
    crypto_generichash_state state_;
};

} // namespace

digest digest_of(const proposal& p) {
    hasher hash;
    hash.part(proposal_domain);
    hash.number(static_cast<std::uint64_t>(p.is));
    hash.number(p.proposer);
    hash.part(p.action);
    hash.part(p.body);
    return hash.end();
}

digest group_hash(std::string_view group_name) {
    hasher hash;
    hash.part(group_domain);
    hash.part(group_name);
    return hash.end();
}

statement_bytes bytes_of(const digest& group, const statement& said) noexcept {
    statement_bytes bytes{};
    const claim& c = said.claim;
    std::memcpy(bytes.data(), vote_domain.data(), vote_domain.size());
    std::memcpy(&bytes[16], group.data(), group.size());
    put(&bytes[48], c.id.epoch);
    put(&bytes[56], c.id.incarnation);
    put(&bytes[64], c.id.sequence);
    bytes[72] = static_cast<std::uint8_t>(c.phase);
    bytes[73] = static_cast<std::uint8_t>(c.level);
    bytes[74] = static_cast<std::uint8_t>(c.choice);
    put(&bytes[76], said.voter);
    std::memcpy(&bytes[80], c.digest.data(), c.digest.size());
    return bytes;
}

void ed25519_signer::wiped::operator()(std::uint8_t* secret) const noexcept { sodium_free(secret); }

ed25519_signer::ed25519_signer(std::string_view group_name, std::span<const std::uint8_t, 32> from)
    : group_(group_hash(group_name)) {
    start_libsodium();
    secret_.reset(static_cast<std::uint8_t*>(sodium_malloc(crypto_sign_SECRETKEYBYTES)));
    if (!secret_) throw std::runtime_error("no memory for a secret key");
    crypto_sign_seed_keypair(public_.data(), secret_.get(), from.data());
    sodium_mprotect_readonly(secret_.get());
}

signature ed25519_signer::sign(const statement& said) const {
    const statement_bytes bytes = bytes_of(group_, said);
    signature result{};
    crypto_sign_detached(result.data(), nullptr, bytes.data(), bytes.size(), secret_.get());
    return result;
}

roster::roster(std::string_view group_name, const std::vector<public_key>& keys)
    : roster(group_hash(group_name), std::vector<std::optional<public_key>>(keys.begin(), keys.end())) {}

roster roster::as_far_as_known(std::string_view group_name, std::vector<std::optional<public_key>> keys) {
    return {group_hash(group_name), std::move(keys)};
}

roster::roster(const digest& group, std::vector<std::optional<public_key>> keys)
    : group_(group), keys_(std::move(keys)) {
    start_libsodium();
    if (keys_.size() > most_voters) throw std::invalid_argument("a group has at most 1024 voters");
    std::vector<public_key> sorted;
    for (const auto& key : keys_)
        if (key) sorted.push_back(*key);
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
        throw std::invalid_argument("two voters have the same public key");
}

bool roster::verify(const statement& said, const signature& by) const {
    if (said.voter >= keys_.size() || !keys_[said.voter]) return false;
    const statement_bytes bytes = bytes_of(group_, said);
    return crypto_sign_verify_detached(by.data(), bytes.data(), bytes.size(), keys_[said.voter]->data()) == 0;
}

bool proves_equivocation(const evidence& found, const verifier& keys) {
    const statement& a = found.first.statement;
    const statement& b = found.second.statement;
    const bool same_vote = a.voter == b.voter && a.claim.id == b.claim.id && a.claim.phase == b.claim.phase;
    return same_vote && a != b && keys.verify(a, found.first.signature) && keys.verify(b, found.second.signature);
}

} // namespace chimera::vote
