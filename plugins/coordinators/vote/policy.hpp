// Which level each action has. The host's configuration says so, never a proposal.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "vote/messages.hpp"

namespace chimera::vote {

/// Immutable, so any thread. All of a group have the same policy: a voter refuses a proposal of another level than its
/// own policy says, so a hub cannot make an action cheaper.
class policy {
  public:
    using table = std::map<std::string, level, std::less<>>;
    explicit policy(table levels) : levels_(std::move(levels)) {}
    /// Whole texts are compared. An action that the table does not have is critical.
    level classify(std::string_view action) const noexcept;

  private:
    table levels_;
};

} // namespace chimera::vote
