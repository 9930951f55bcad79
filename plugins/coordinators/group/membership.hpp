// The arguments of a join, copied and checked: who is in the group, and how its actions are decided.
#pragma once

#include "vote/policy.hpp"

#include <chimera/abi/coordinator.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::group {

/// The configured group, as every endpoint of it was given it, and the endpoint's own place.
struct membership {
    std::string group;
    std::uint64_t epoch = 0;
    std::vector<std::string> members; ///< by number
    std::shared_ptr<const vote::policy> policy;
    std::int32_t self = CHM_TO_HUB; ///< a member's number, or CHM_TO_HUB
    std::uint64_t decision_ns = 0;
    std::uint32_t max_message = 0, max_queue = 0;

    std::int32_t size() const noexcept { return static_cast<std::int32_t>(members.size()); }
    bool is_hub() const noexcept { return self == CHM_TO_HUB; }
    bool has(std::int32_t member) const noexcept { return member >= 0 && member < size(); }
    /// "hub", or a member's name.
    std::string_view name_of(std::int32_t who) const noexcept;
    /// Equal at two endpoints if they were given the same group, epoch, members, actions and limits.
    std::uint64_t fingerprint() const noexcept;

  private:
    friend membership read_membership(const chm_endpoint_args&);
    std::uint64_t fingerprint_ = 0;
};

/// CHM_CLASS_* as the vote core counts them, from 0; and back.
constexpr vote::level level_of(std::uint32_t chm_class) noexcept { return static_cast<vote::level>(chm_class - 1); }
constexpr std::uint32_t class_of(vote::level level) noexcept { return static_cast<std::uint32_t>(level) + 1; }

/// Throws sdk::error (CHM_E_INVAL), which names the argument, its value and the rule.
membership read_membership(const chm_endpoint_args&);

/// A member's key from the lines "name hex" of chm_endpoint_args.key. "*" names the key of every member that has no
/// line of its own.
struct named_key {
    std::string name;
    std::string bytes;
};

/// All lines, in their order; empty lines and lines that begin with '#' are left out. Throws sdk::error (CHM_E_INVAL),
/// which names the line, and never what it holds.
std::vector<named_key> read_keys(std::string_view text);

/// Overwrites the keys' bytes.
void wipe(std::vector<named_key>&) noexcept;

} // namespace chimera::group
