#include "coordination/group_setup.hpp"

#include <chimera/sdk/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <sys/random.h>

namespace chimera::host {
namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::uint32_t longest_report = 16U << 20U;
constexpr std::uintmax_t most_key_file = 1 << 20;

std::string drawn_keys(const std::vector<agent_spec>& agents) {
    std::string lines;
    for (const agent_spec& a : agents) {
        std::array<unsigned char, key_bytes> key{};
        if (getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size()))
            throw std::runtime_error("the system gives no random bytes for the group's keys");
        lines += a.id + ' ';
        for (const unsigned char byte : key) lines += fmt::format("{:02x}", byte);
        lines += '\n';
        explicit_bzero(key.data(), key.size());
    }
    return lines;
}

std::string keys_of(const profile& p) {
    const coordination_spec& c = p.workload.coordination;
    if (!c.key_env.empty()) {
        const char* value = std::getenv(c.key_env.c_str());
        if (value == nullptr)
            throw std::runtime_error(fmt::format("workload.coordination.key_env: the environment has no variable {}; "
                                                 "set it to lines \"name hex\", one for each member",
                                                 c.key_env));
        return value;
    }
    if (c.key_file.empty()) return drawn_keys(p.workload.agents);
    std::error_code error;
    if (std::filesystem::file_size(c.key_file, error) > most_key_file || error)
        throw std::runtime_error(
            fmt::format("{}: {}", c.key_file.string(), error ? error.message() : "too long for a file of keys"));
    std::ifstream in(c.key_file);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) throw std::runtime_error(fmt::format("{}: {}", c.key_file.string(), std::strerror(errno)));
    return text.str();
}

/// The lines of this member: a member has no other's key.
std::string lines_for(std::string_view all, const std::string& member) {
    std::string own;
    while (!all.empty()) {
        const std::size_t end = std::min(all.find('\n'), all.size());
        const std::string_view line = all.substr(0, end);
        all.remove_prefix(std::min(end + 1, all.size()));
        const std::string_view name = line.substr(0, line.find_first_of(" \t"));
        if (name == member || name == "*") (own += line) += '\n';
    }
    return own;
}

} // namespace

std::string_view action_of(decision_class c) noexcept {
    static constexpr std::array<std::string_view, decision_classes> actions{"agree_low", "agree_medium", "agree_high",
                                                                            "agree_critical"};
    return actions[static_cast<std::size_t>(c)];
}

group_setup::group_setup(const profile& p, std::uint64_t number)
    : profile_(p), name_(p.name), epoch_(number), all_keys_(keys_of(p)) {
    constexpr std::size_t least_for_signed = 4;
    for (const agent_spec& a : p.workload.agents) names_.push_back(sdk::str(a.id));
    for (std::uint32_t c = 0; c < decision_classes; ++c)
        if (c < static_cast<std::uint32_t>(decision_class::high) || names_.size() >= least_for_signed)
            actions_.push_back({sdk::str(action_of(static_cast<decision_class>(c))), c + CHM_CLASS_LOW, 0});
    for (const agent_spec& a : p.workload.agents) member_keys_.push_back(lines_for(all_keys_, a.id));
}

group_setup::~group_setup() {
    explicit_bzero(all_keys_.data(), all_keys_.size());
    for (std::string& keys : member_keys_) explicit_bzero(keys.data(), keys.size());
}

chm_endpoint_args group_setup::args_for(std::int32_t self) const {
    chm_endpoint_args args{};
    args.size = sizeof args;
    args.self = self;
    args.group = sdk::str(name_);
    args.epoch = epoch_;
    args.members = names_.data();
    args.n_members = static_cast<std::uint32_t>(names_.size());
    args.actions = actions_.data();
    args.n_actions = static_cast<std::uint32_t>(actions_.size());
    args.key = sdk::str(self == CHM_TO_HUB ? all_keys_ : member_keys_.at(static_cast<std::size_t>(self)));
    // Reports are longer than the messages that members of kind = "coordination" send.
    args.max_message = longest_report;
    args.decision_ns = static_cast<std::uint64_t>(profile_.workload.coordination.decision_limit_ms * 1e6);
    return args;
}

bool group_setup::runs_here(std::int32_t self) const {
    const auto& here = profile_.workload.coordination.here;
    const std::string_view name =
        self == CHM_TO_HUB ? "hub" : std::string_view(profile_.workload.agents.at(static_cast<std::size_t>(self)).id);
    return here.empty() || std::ranges::find(here, name) != here.end();
}

} // namespace chimera::host
