// What waits in an endpoint for its task: messages, events, and the wakers of the task's polls.
#pragma once

#include <chimera/abi/coordinator.h>
#include <chimera/sdk/plugin.hpp>
#include <chimera/sdk/waker.hpp>

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::group {

/// The polls of an endpoint. Each has one waker.
enum class waiting_for : std::uint8_t { ready, room, message, event, decision, barrier };
inline constexpr std::size_t kinds_of_waiting = 6;

/// Wakers that are to be woken when the lock that guards it is released.
using wake_list = boost::container::small_vector<sdk::waker, 8>;

/// A message on its way to the task. Its body's memory is used again.
struct held_message {
    std::int32_t from = 0, to = 0;
    std::uint32_t channel = 0;
    std::uint64_t seq = 0, sent_ns = 0;
    std::string body;
};

/// An event, with its text.
struct held_event {
    std::uint32_t kind = 0, level = 0;
    std::int32_t who = 0;
    std::uint64_t proposal = 0;
    std::string action, body;
};

/// Not thread-safe: the owner's lock guards it.
class mailbox {
  public:
    /// woken: gets the wakers of polls that may go on. It outlives the mailbox.
    explicit mailbox(wake_list& woken) noexcept : woken_(woken) {}
    mailbox(const mailbox&) = delete;
    mailbox& operator=(const mailbox&) = delete;

    /// A slot for one more message, to be filled; valid until the next call. The reader is woken.
    held_message& add_message();
    /// Drops the oldest event beyond the newest 1024.
    void add_event(held_event);

    /// The next message, which stays valid until the next call of this or of next_event; nullptr: none.
    const held_message* next_message();
    /// As next_message.
    const held_event* next_event();

    /// Remembers the waker of a poll that is pending.
    void wait(waiting_for what, chm_waker* waker) { wakers_[static_cast<std::size_t>(what)].become(waker); }
    /// What this poll waits for may have come.
    void wake(waiting_for what);
    void wake_all();
    /// Drops the wakers of all polls: their task is done with the endpoint.
    void forget_waiting() noexcept {
        for (sdk::waker& w : wakers_) w = {};
    }

  private:
    // A ring: first_ to last_ are waiting.
    std::vector<held_message> ring_;
    std::size_t first_ = 0, last_ = 0;
    held_message current_message_; // that the task reads: the ring may move meanwhile
    std::deque<held_event> events_;
    held_event current_event_;
    sdk::waker wakers_[kinds_of_waiting];
    wake_list& woken_;
};

} // namespace chimera::group
