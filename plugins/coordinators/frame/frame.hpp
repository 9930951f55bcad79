// What members of a group and their hub say to each other, and the one check of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace chimera::frames {

enum class kind : std::uint8_t {
    hello = 1, ///< member to hub: who it is, and what it can read
    welcome,   ///< hub to member: its place in the group, and what is used from here on
    refused,   ///< hub to member: why not
    message,   ///< from one member to another, or to all
    propose,   ///< member to hub: something to decide
    proposal,  ///< hub to all: vote on this
    vote,
    quorum,   ///< hub to all: a phase has its votes
    decision, ///< hub to all: the end of a proposal
    member,   ///< hub to all: a member came or went
    arrive,   ///< member to hub: at the barrier
    release,  ///< hub to all: the barrier is open
    ping,
    pong,
    goodbye, ///< the last frame of a sender
    credit,  ///< the receiver of messages to their sender: so many were taken
};

/// One frame as a plain value. It owns nothing: `text`, `body`, `digest`, `signature` and `key` are views of memory
/// that belongs to whoever filled it in; after codec::decode that is the input or the scratch. A field that a kind does
/// not have is 0 or empty (kind_rules).
struct frame {
    frames::kind kind{};
    std::uint32_t from = 0, to = 0, channel = 0;
    std::uint64_t number = 0;   ///< what the kind counts: proposal, request, round of a barrier, code of an error
    std::uint64_t sequence = 0; ///< of the sender on its channel; of decisions: their order
    std::uint64_t time_ns = 0, time2_ns = 0;
    std::uint64_t epoch = 0;         ///< of the configured membership
    std::uint64_t incarnation = 0;   ///< of a member's process
    std::uint8_t phase = 0;          ///< 0 to 2
    std::uint8_t decision_class = 0; ///< 0 to 4
    std::uint8_t outcome = 0;        ///< 0 to 3
    bool yes = false;
    std::uint32_t codecs = 0;                       ///< bit_of(codec_id)
    std::uint32_t max_message = 0;                  ///< bytes
    std::uint32_t votes_for = 0, votes_against = 0; ///< of a decision
    std::string_view text;                          ///< a name, an action or a reason; UTF-8
    std::span<const std::byte> body;
    std::span<const std::byte> digest;    ///< 32 bytes or none
    std::span<const std::byte> signature; ///< 64 bytes or none
    std::span<const std::byte> key;       ///< 32 bytes or none
};

inline constexpr std::size_t digest_size = 32, signature_size = 64, key_size = 32;

/// Compares what the views show.
bool operator==(const frame& a, const frame& b) noexcept;

/// Upper bounds of what is written and read, in bytes.
struct limits {
    std::size_t max_body = std::size_t{1} << 20;
    std::size_t max_text = 4096;
    std::size_t max_frame = frame_for(std::size_t{1} << 20); ///< one encoded payload

    /// Enough for a body of this size in every codec: JSON writes up to 4 bytes for one.
    static constexpr std::size_t frame_for(std::size_t max_body) noexcept { return 4 * max_body + 32 * 1024; }
    static constexpr limits for_body(std::size_t max_body) noexcept { return {max_body, 4096, frame_for(max_body)}; }
};

/// The names of the fields, in the order in which JSON has them.
enum class field : std::uint8_t {
    kind,
    from,
    to,
    channel,
    number,
    sequence,
    time_ns,
    time2_ns,
    epoch,
    incarnation,
    phase,
    decision_class,
    outcome,
    yes,
    codecs,
    max_message,
    votes_for,
    votes_against,
    text,
    body,
    digest,
    signature,
    key,
};
inline constexpr std::array<std::string_view, 23> field_names{
    "kind",      "from",          "to",    "channel",        "number",  "sequence",  "time_ns", "time2_ns",
    "epoch",     "incarnation",   "phase", "decision_class", "outcome", "yes",       "codecs",  "max_message",
    "votes_for", "votes_against", "text",  "body",           "digest",  "signature", "key"};

using field_set = std::uint32_t;
template <class... Fields>
constexpr field_set set_of(Fields... fields) noexcept {
    return ((field_set{1} << static_cast<unsigned>(fields)) | ... | field_set{0});
}

struct kind_rule {
    frames::kind kind;
    std::string_view name;
    field_set required; ///< not 0 and not empty
    field_set allowed;  ///< besides them. All other fields must be 0 or empty
};

/// Which fields each kind has. `kind`, `from`, `to` and `epoch` are allowed everywhere.
extern const std::array<kind_rule, 16> kind_rules;

/// The rule of a kind; nullptr: there is no such kind.
const kind_rule* rule_of(kind k) noexcept;

/// Why this is not a frame; empty: it is one. Checked: the kind, its fields, ranges, sizes and UTF-8. Both codecs ask
/// it about what they read and what they are to write. Does not allocate where the answer is empty. Any thread.
std::string fault_of(const frame& f, const limits& most);

} // namespace chimera::frames
