// my_coordinator: groups within one process. Everything that the endpoints of a group share lies in a room, with one
// lock.
//
// A coordinator makes endpoints (join): a hub and members. They pass messages on, and decide on proposals by votes. A
// network would lie between the endpoints: then the hub's room is in its process, members send it what they want, and
// the votes of class high and critical are signed, because a member cannot see the others'. Within one process nobody
// can pretend to be another, so that this plugin signs nothing.
//
// Three rules are easily broken. Whoever waits is woken after the lock is released, never under it. A vote is counted
// against the members of the group, not against the votes that came. An action that the group does not know is
// critical.
#include "endpoint.hpp"

#include <chimera/sdk/coordinator.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace my_coordinator {

class coordinator final : public sdk::coordinator_base<coordinator, CHM_COORDINATOR_IN_PROCESS> {
  public:
    /// The options that a profile may set. The host checks them, lists them, and hands over every key.
    static constexpr std::span<const chm_option> schema{};
    coordinator(const chm_host*, const sdk::options&) {}

    chm_endpoint* join(const chm_endpoint_args& args) {
        membership m(args);
        if (args.reactor == nullptr) throw sdk::error(CHM_E_NOSYS, "time limits need an executor with a reactor");
        const std::lock_guard lock(mutex_);
        std::shared_ptr<room> in = rooms_[m.group].lock();
        if (!in) rooms_[m.group] = in = std::make_shared<room>();
        std::erase_if(rooms_, [](const auto& one) { return one.second.expired(); });
        return new endpoint(std::move(in), std::move(m), args.reactor);
    }
    static const void* extension(std::string_view) noexcept { return nullptr; }

  private:
    std::mutex mutex_;
    std::map<std::string, std::weak_ptr<room>> rooms_; // by the group's name
};

} // namespace my_coordinator

CHIMERA_COORDINATOR_PLUGIN("my_coordinator", "0.1", "Groups within one process, as the guide describes them",
                           my_coordinator::coordinator);
