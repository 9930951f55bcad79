#include "local/room.hpp"

#include <chimera/sdk/coordinator.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace chimera::local {

/// Knows the rooms that have endpoints.
class coordinator final : public sdk::coordinator_base<coordinator, CHM_COORDINATOR_IN_PROCESS> {
  public:
    static constexpr std::span<const chm_option> schema{};
    coordinator(const chm_host*, const sdk::options&) {}

    chm_endpoint* join(const chm_endpoint_args& args) {
        group::membership m = group::read_membership(args);
        std::shared_ptr<room> in;
        {
            const std::lock_guard lock(mutex_);
            std::weak_ptr<room>& known = rooms_[m.group];
            in = known.lock();
            if (!in) known = in = std::make_shared<room>();
            std::erase_if(rooms_, [](const auto& one) { return one.second.expired(); });
        }
        return new local_endpoint(std::move(in), std::move(m));
    }
    static const void* extension(std::string_view) noexcept { return nullptr; }

  private:
    std::mutex mutex_;
    std::map<std::string, std::weak_ptr<room>> rooms_; // guarded by mutex_
};

} // namespace chimera::local

CHIMERA_COORDINATOR_PLUGIN("local", "1.0", "Groups within one process: no network, no encoding",
                           chimera::local::coordinator);
