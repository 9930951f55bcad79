#include "group/membership.hpp"

#include "vote/rules.hpp"

#include <chimera/sdk/error.hpp>
#include <chimera/sdk/text.hpp>

#include <algorithm>
#include <charconv>

namespace chimera::group {
namespace {

using sdk::view;

constexpr std::uint64_t default_decision_ns = 10'000'000'000;
constexpr std::uint64_t longest_decision_ns = 1'000'000'000'000'000; // added to a time, it does not overflow
constexpr std::uint32_t default_message = 1U << 20U, longest_message = 1U << 28U;
constexpr std::uint32_t default_queue = 1024, most_in_queue = 1U << 20U;
constexpr std::size_t most_members = 1024, longest_name = 64;
constexpr std::size_t least_key = 16, longest_key = 64; // bytes

[[noreturn]] void refuse(const std::string& why) { throw sdk::error(CHM_E_INVAL, why); }

std::uint64_t fnv1a(std::string_view bytes, std::uint64_t hash) noexcept {
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}
std::uint64_t fnv1a(std::uint64_t number, std::uint64_t hash) noexcept {
    for (int i = 0; i < 8; ++i) hash = (hash ^ ((number >> (8 * i)) & 0xffU)) * 0x100000001b3;
    return hash;
}

/// Names stand in files of keys and in certificates, so blanks and control characters are refused.
bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= longest_name &&
           std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f' && c != '*' && c != '#'; });
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string_view trimmed(std::string_view s) noexcept {
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!s.empty() && blank(s.front())) s.remove_prefix(1);
    while (!s.empty() && blank(s.back())) s.remove_suffix(1);
    return s;
}

std::string key_of_hex(std::string_view hex, const std::string& where) {
    if (hex.size() % 2 != 0 || hex.size() < 2 * least_key || hex.size() > 2 * longest_key)
        refuse(where + ": a key has " + std::to_string(2 * least_key) + " to " + std::to_string(2 * longest_key) +
               " hex digits, two for each byte; this one has " + std::to_string(hex.size()));
    std::string key;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = hex_digit(hex[i]), low = hex_digit(hex[i + 1]);
        if (high < 0 || low < 0) refuse(where + ": the key is not hex (0 to 9, a to f)");
        key.push_back(static_cast<char>(high * 16 + low));
    }
    return key;
}

} // namespace

std::string_view membership::name_of(std::int32_t who) const noexcept {
    return has(who) ? std::string_view(members[static_cast<std::size_t>(who)]) : "hub";
}

std::uint64_t membership::fingerprint() const noexcept { return fingerprint_; }

membership read_membership(const chm_endpoint_args& args) {
    membership m;
    m.group = view(args.group);
    m.epoch = args.epoch;
    m.self = args.self;
    if (m.group.empty()) refuse("the group has no name");
    if (args.n_members == 0 || args.n_members > most_members || args.members == nullptr)
        refuse("a group has 1 to " + std::to_string(most_members) + " members, this one " +
               std::to_string(args.n_members));
    for (const chm_str& member : std::span(args.members, args.n_members)) {
        const std::string name(view(member));
        if (!is_name(name))
            refuse("\"" + name + "\" cannot be a member's name: use 1 to " + std::to_string(longest_name) +
                   " printable characters, and no blank, '*' or '#'");
        if (name == "hub") refuse("no member can be called \"hub\", which is the hub's own name");
        if (std::ranges::find(m.members, name) != m.members.end()) refuse("two members are called \"" + name + "\"");
        m.members.push_back(name);
    }
    if (m.self != CHM_TO_HUB && !m.has(m.self))
        refuse("self is " + std::to_string(m.self) + ": neither CHM_TO_HUB nor the number of one of " +
               std::to_string(m.size()) + " members");
    if (args.n_actions != 0 && args.actions == nullptr) refuse("actions is NULL, n_actions is not 0");
    vote::policy::table actions;
    for (std::uint32_t i = 0; i < args.n_actions; ++i) {
        const chm_group_action& action = args.actions[i];
        const std::string name(view(action.name));
        if (action.level < CHM_CLASS_LOW || action.level > CHM_CLASS_CRITICAL)
            refuse("action \"" + name + "\" has class " + std::to_string(action.level) + ", expected 1 to 4");
        const vote::level level = level_of(action.level);
        if (!vote::enough_voters(level, args.n_members))
            refuse("action \"" + name + "\" has class " + std::string(vote::text(level)) +
                   ", which needs 4 members or more; the group has " + std::to_string(args.n_members));
        if (!actions.emplace(name, level).second) refuse("action \"" + name + "\" is given twice");
    }
    m.policy = std::make_shared<const vote::policy>(std::move(actions));
    m.decision_ns = args.decision_ns == 0 ? default_decision_ns : std::min(args.decision_ns, longest_decision_ns);
    m.max_message = args.max_message == 0 ? default_message : args.max_message;
    m.max_queue = args.max_queue == 0 ? default_queue : args.max_queue;
    if (m.max_message > longest_message)
        refuse("max_message is " + std::to_string(m.max_message) + ", at most " + std::to_string(longest_message));
    if (m.max_queue > most_in_queue)
        refuse("max_queue is " + std::to_string(m.max_queue) + ", at most " + std::to_string(most_in_queue));

    std::uint64_t hash = fnv1a(m.group, 0xcbf29ce484222325);
    for (const std::uint64_t n : {m.epoch, std::uint64_t{m.max_message}, std::uint64_t{m.max_queue}})
        hash = fnv1a(n, hash);
    for (const std::string& member : m.members) hash = fnv1a(member, fnv1a(member.size(), hash));
    for (std::uint32_t i = 0; i < args.n_actions; ++i)
        hash = fnv1a(args.actions[i].level, fnv1a(view(args.actions[i].name), hash));
    m.fingerprint_ = hash;
    return m;
}

std::vector<named_key> read_keys(std::string_view text) {
    std::vector<named_key> keys;
    for (int number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#') continue;
        const std::string where = "line " + std::to_string(number) + " of the keys";
        const std::size_t blank = line.find_first_of(" \t");
        if (blank == std::string_view::npos) refuse(where + ": expected a name, a blank and a key in hex");
        const std::string_view name = line.substr(0, blank);
        if (name != "*" && !is_name(name)) refuse(where + ": the first word cannot be a member's name");
        if (std::ranges::find(keys, name, &named_key::name) != keys.end())
            refuse(where + ": \"" + std::string(name) + "\" has a key already");
        keys.push_back({std::string(name), key_of_hex(trimmed(line.substr(blank)), where)});
    }
    return keys;
}

void wipe(std::vector<named_key>& keys) noexcept {
    for (named_key& key : keys) {
        volatile char* bytes = key.bytes.data();
        for (std::size_t i = 0; i < key.bytes.size(); ++i) bytes[i] = 0;
    }
    keys.clear();
}

} // namespace chimera::group
