// What the endpoints of a group share, and what they are told.
#pragma once

#include <chimera/abi/coordinator.h>
#include <chimera/sdk/error.hpp>
#include <chimera/sdk/text.hpp>
#include <chimera/sdk/waker.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace my_coordinator {

namespace sdk = chimera::sdk;

class endpoint;

/// The arguments of join, copied and checked. Throws sdk::error (CHM_E_INVAL).
struct membership {
    explicit membership(const chm_endpoint_args& a)
        : group(sdk::view(a.group)), epoch(a.epoch), self(a.self),
          limit_ns(a.decision_ns ? a.decision_ns : 10'000'000'000),
          max_message(a.max_message ? a.max_message : 1 << 20), max_queue(a.max_queue ? a.max_queue : 1024) {
        const auto need = [](bool ok, const char* why) {
            if (!ok) throw sdk::error(CHM_E_INVAL, why);
        };
        for (std::uint32_t i = 0; i < a.n_members; ++i) {
            members.emplace_back(sdk::view(a.members[i]));
            need(std::count(members.begin(), members.end(), members.back()) == 1, "two members have one name");
        }
        need(!members.empty(), "a group needs a member");
        need(self == CHM_TO_HUB || has(self), "self is neither a member's number nor CHM_TO_HUB");
        for (std::uint32_t i = 0; i < a.n_actions; ++i) {
            const std::uint32_t level = a.actions[i].level;
            need(level >= CHM_CLASS_LOW && level <= CHM_CLASS_CRITICAL, "an action's class is none of the four");
            need(level < CHM_CLASS_HIGH || size() >= 4, "an action of class high or critical needs 4 members");
            actions[std::string(sdk::view(a.actions[i].name))] = level;
        }
    }
    std::int32_t size() const { return static_cast<std::int32_t>(members.size()); }
    bool has(std::int32_t who) const { return who >= 0 && who < size(); }
    std::uint32_t class_of(const std::string& action) const {
        const auto known = actions.find(action);
        return known == actions.end() ? std::uint32_t{CHM_CLASS_CRITICAL} : known->second;
    }
    /// The number of votes for yes that a class needs.
    std::int32_t enough(std::uint32_t level) const {
        if (level == CHM_CLASS_LOW) return size() / 2 + 1;
        return level == CHM_CLASS_MEDIUM ? (3 * size() + 3) / 4 : 2 * size() / 3 + 1;
    }
    std::string group;
    std::uint64_t epoch;
    std::int32_t self;
    std::uint64_t limit_ns;
    std::uint32_t max_message, max_queue;
    std::vector<std::string> members;
    std::map<std::string, std::uint32_t> actions;
};

struct message {
    std::int32_t from, to;
    std::uint32_t channel;
    std::uint64_t seq, sent_ns;
    std::string body;
};

struct event {
    std::uint32_t kind;
    std::int32_t who;
    std::uint32_t level = 0;
    std::uint64_t proposal = 0;
    std::string action = {}, body = {};
};

struct proposal {
    std::uint32_t level = CHM_CLASS_CRITICAL;
    std::uint64_t ends_ns = 0;               ///< CLOCK_MONOTONIC
    std::map<std::int32_t, bool> votes = {}; ///< by member
    std::uint32_t outcome = 0;               ///< 0: open
    std::uint32_t yes = 0, no = 0;
    std::string certificate = {};
};

/// What the endpoints of a group share. Its lock also guards what others touch of an endpoint.
struct room {
    std::mutex mutex;
    std::vector<sdk::waker> woken;               ///< when the lock is released
    std::map<std::int32_t, endpoint*> endpoints; ///< by number, also members that the hub has not let in yet
    std::map<std::uint64_t, proposal> proposals;
    std::uint64_t last_proposal = 0;
    std::map<std::string, std::set<std::int32_t>> barriers; ///< who waits at each
};

/// Holds a room's lock. Its destructor wakes after it has released it.
class holding {
  public:
    explicit holding(room& of) : of_(of), lock_(of.mutex) {}
    holding(const holding&) = delete;
    holding& operator=(const holding&) = delete;
    ~holding() {
        std::vector<sdk::waker> woken;
        woken.swap(of_.woken);
        lock_.unlock();
        for (sdk::waker& w : woken) w.wake();
    }

  private:
    room& of_;
    std::unique_lock<std::mutex> lock_;
};

} // namespace my_coordinator
