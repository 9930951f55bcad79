#include "frame/frame.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <bit>

namespace chimera::frames {

namespace {

constexpr field_set everywhere = set_of(field::kind, field::from, field::to, field::epoch);

template <class... Fields>
constexpr field_set besides(Fields... fields) noexcept {
    return everywhere | set_of(fields...);
}

bool same(std::span<const std::byte> a, std::span<const std::byte> b) noexcept { return std::ranges::equal(a, b); }

/// The fields that are neither 0 nor empty.
field_set present(const frame& f) noexcept {
    field_set set = 0;
    const auto note = [&set](field which, bool there) {
        set |= static_cast<field_set>(there) << static_cast<int>(which);
    };
    note(field::kind, true);
    note(field::from, f.from != 0);
    note(field::to, f.to != 0);
    note(field::channel, f.channel != 0);
    note(field::number, f.number != 0);
    note(field::sequence, f.sequence != 0);
    note(field::time_ns, f.time_ns != 0);
    note(field::time2_ns, f.time2_ns != 0);
    note(field::epoch, f.epoch != 0);
    note(field::incarnation, f.incarnation != 0);
    note(field::phase, f.phase != 0);
    note(field::decision_class, f.decision_class != 0);
    note(field::outcome, f.outcome != 0);
    note(field::yes, f.yes);
    note(field::codecs, f.codecs != 0);
    note(field::max_message, f.max_message != 0);
    note(field::votes_for, f.votes_for != 0);
    note(field::votes_against, f.votes_against != 0);
    note(field::text, !f.text.empty());
    note(field::body, !f.body.empty());
    note(field::digest, !f.digest.empty());
    note(field::signature, !f.signature.empty());
    note(field::key, !f.key.empty());
    return set;
}

std::string_view first_of(field_set set) noexcept {
    return field_names[static_cast<std::size_t>(std::countr_zero(set))];
}

bool is_all_or_none(std::span<const std::byte> bytes, std::size_t size) noexcept {
    return bytes.empty() || bytes.size() == size;
}

} // namespace

const std::array<kind_rule, 16> kind_rules{{
    {kind::hello, "hello", set_of(field::number, field::codecs, field::max_message, field::text, field::key),
     everywhere},
    {kind::welcome, "welcome", set_of(field::number, field::sequence, field::incarnation, field::max_message),
     besides(field::codecs)},
    {kind::refused, "refused", set_of(field::text), everywhere},
    {kind::message, "message", set_of(field::sequence), besides(field::channel, field::time_ns, field::body)},
    {kind::propose, "propose", set_of(field::number), besides(field::text, field::body)},
    {kind::proposal, "proposal", set_of(field::number, field::sequence, field::incarnation, field::decision_class),
     besides(field::text, field::body)},
    {kind::vote, "vote",
     set_of(field::number, field::sequence, field::incarnation, field::phase, field::decision_class, field::digest),
     besides(field::yes, field::signature)},
    {kind::quorum, "quorum", set_of(field::number, field::sequence, field::incarnation, field::body), everywhere},
    {kind::decision, "decision", set_of(field::decision_class, field::outcome),
     besides(field::number, field::sequence, field::incarnation, field::phase, field::votes_for, field::votes_against,
             field::text, field::body, field::digest)},
    {kind::member, "member", set_of(field::text), besides(field::yes, field::key)},
    {kind::arrive, "arrive", set_of(field::text), everywhere},
    {kind::release, "release", set_of(field::text), everywhere},
    {kind::ping, "ping", set_of(field::time_ns), everywhere},
    {kind::pong, "pong", set_of(field::time_ns, field::time2_ns), everywhere},
    {kind::goodbye, "goodbye", 0, everywhere},
    {kind::credit, "credit", set_of(field::number), everywhere},
}};

const kind_rule* rule_of(kind k) noexcept {
    const std::size_t at = static_cast<std::size_t>(k) - 1;
    return at < kind_rules.size() ? &kind_rules[at] : nullptr;
}

bool operator==(const frame& a, const frame& b) noexcept {
    return a.kind == b.kind && a.from == b.from && a.to == b.to && a.channel == b.channel && a.number == b.number &&
           a.sequence == b.sequence && a.time_ns == b.time_ns && a.time2_ns == b.time2_ns && a.epoch == b.epoch &&
           a.incarnation == b.incarnation && a.phase == b.phase && a.decision_class == b.decision_class &&
           a.outcome == b.outcome && a.yes == b.yes && a.codecs == b.codecs && a.max_message == b.max_message &&
           a.votes_for == b.votes_for && a.votes_against == b.votes_against && a.text == b.text &&
           same(a.body, b.body) && same(a.digest, b.digest) && same(a.signature, b.signature) && same(a.key, b.key);
}

std::string fault_of(const frame& f, const limits& most) {
    const kind_rule* const rule = rule_of(f.kind);
    if (rule == nullptr) return fmt::format("kind: {} is not a kind of frame", static_cast<unsigned>(f.kind));
    const field_set set = present(f);
    if (const field_set missing = rule->required & ~set; missing != 0)
        return fmt::format("{}: {} is missing", rule->name, first_of(missing));
    if (const field_set surplus = set & ~(rule->required | rule->allowed); surplus != 0)
        return fmt::format("{}: has no {}", rule->name, first_of(surplus));
    if (f.phase > 2) return fmt::format("{}: phase {} is not 0 to 2", rule->name, f.phase);
    if (f.decision_class > 4) return fmt::format("{}: decision_class {} is not 0 to 4", rule->name, f.decision_class);
    if (f.outcome > 3) return fmt::format("{}: outcome {} is not 0 to 3", rule->name, f.outcome);
    if (!is_all_or_none(f.digest, digest_size))
        return fmt::format("{}: digest has {} bytes, not {}", rule->name, f.digest.size(), digest_size);
    if (!is_all_or_none(f.signature, signature_size))
        return fmt::format("{}: signature has {} bytes, not {}", rule->name, f.signature.size(), signature_size);
    if (!is_all_or_none(f.key, key_size))
        return fmt::format("{}: key has {} bytes, not {}", rule->name, f.key.size(), key_size);
    if (f.body.size() > most.max_body)
        return fmt::format("{}: body has {} bytes, more than {}", rule->name, f.body.size(), most.max_body);
    if (f.text.size() > most.max_text)
        return fmt::format("{}: text has {} bytes, more than {}", rule->name, f.text.size(), most.max_text);
    if (!f.text.empty() && !simdjson::validate_utf8(f.text.data(), f.text.size()))
        return fmt::format("{}: text is not UTF-8", rule->name);
    return {};
}

} // namespace chimera::frames
