// The group of a profile, as its endpoints are given it: names, keys, classes of actions, limits.
#pragma once

#include "profile/profile.hpp"

#include <chimera/abi/coordinator.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// The action that members vote on in this class.
std::string_view action_of(decision_class) noexcept;

/// Of one execution. Immutable after construction; outlives its endpoints.
class group_setup {
  public:
    /// Reads the keys of the profile, or draws them. number: of the execution in its campaign, which makes the epoch.
    /// Throws std::runtime_error, which names the file or the variable, and never a key.
    group_setup(const profile&, std::uint64_t number);
    group_setup(const group_setup&) = delete;
    group_setup& operator=(const group_setup&) = delete;
    ~group_setup();

    /// Everything but executor, reactor and address. self: a member's number, or CHM_TO_HUB.
    chm_endpoint_args args_for(std::int32_t self) const;
    std::size_t members() const noexcept { return names_.size(); }
    bool runs_here(std::int32_t self) const;
    /// Some endpoint runs in another process.
    bool is_split() const noexcept { return !profile_.workload.coordination.here.empty(); }

  private:
    const profile& profile_;
    std::string name_;
    std::uint64_t epoch_;
    std::vector<chm_str> names_;
    std::vector<chm_group_action> actions_;
    std::string all_keys_;
    std::vector<std::string> member_keys_;
};

} // namespace chimera::host
