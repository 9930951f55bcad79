// Keys, digests, and what exactly is signed. Ed25519 and BLAKE2b of libsodium.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "vote/messages.hpp"

namespace chimera::vote {

using public_key = std::array<std::uint8_t, 32>;
using seed = std::array<std::uint8_t, 32>;

/// BLAKE2b-256 over level, proposer, action and body, each with its length. Not over the id: a ballot binds the two.
digest digest_of(const proposal& p);
/// BLAKE2b-256. Signed with each vote, so that a vote counts in one group only.
digest group_hash(std::string_view group_name);

/// The signed bytes; integers are little-endian:
///   0 "chimera.vote/1" and two zeros | 16 group hash | 48 epoch | 56 incarnation | 64 sequence
///   72 phase | 73 level | 74 choice | 75 zero | 76 voter (4 bytes) | 80 digest
using statement_bytes = std::array<std::uint8_t, 112>;
statement_bytes bytes_of(const digest& group, const statement& said) noexcept;

/// Signs one voter's votes. Tests inject another.
class signer {
  public:
    virtual ~signer() = default;
    virtual signature sign(const statement& said) const = 0;
};

/// Knows the keys of all voters.
class verifier {
  public:
    virtual ~verifier() = default;
    /// The signature is that of said.voter. False for a voter that it does not know.
    virtual bool verify(const statement& said, const signature& by) const = 0;
};

/// Holds a secret key in memory that libsodium locks, fences and wipes. Any thread.
class ed25519_signer final : public signer {
  public:
    /// from: 32 random bytes, the voter's secret; the caller wipes its own copy. Throws std::runtime_error if libsodium
    /// or memory fails.
    ed25519_signer(std::string_view group_name, std::span<const std::uint8_t, 32> from);
    signature sign(const statement& said) const override;
    const public_key& key() const noexcept { return public_; }

  private:
    struct wiped {
        void operator()(std::uint8_t* secret) const noexcept;
    };
    digest group_;
    public_key public_{};
    std::unique_ptr<std::uint8_t, wiped> secret_;
};

/// The public keys of the voters of one epoch, by number. Immutable, so any thread.
class roster final : public verifier {
  public:
    /// Throws std::invalid_argument if two voters have one key (one secret would have two votes), or there are too
    /// many.
    roster(std::string_view group_name, const std::vector<public_key>& keys);
    /// Nothing verifies for a voter whose key is not known yet. Throws as above.
    static roster as_far_as_known(std::string_view group_name, std::vector<std::optional<public_key>> keys);
    bool verify(const statement& said, const signature& by) const override;
    std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(keys_.size()); }

  private:
    roster(const digest& group, std::vector<std::optional<public_key>> keys);

    digest group_;
    std::vector<std::optional<public_key>> keys_;
};

/// Both votes are signed by one voter, are of one phase of one ballot, and differ. keys: of the epoch of the votes.
bool proves_equivocation(const evidence& found, const verifier& keys);

} // namespace chimera::vote
