#include "vote/policy.hpp"

namespace chimera::vote {

level policy::classify(std::string_view action) const noexcept {
    const auto found = levels_.find(action);
    return found == levels_.end() ? level::critical : found->second;
}

} // namespace chimera::vote
