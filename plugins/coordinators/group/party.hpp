// The common part of a hub and a member: messages with their windows, clocks, and what their task asks of them.
#pragma once

#include "frame/frame.hpp"
#include "group/mailbox.hpp"
#include "group/membership.hpp"
#include "vote/messages.hpp"
#include "vote/rules.hpp"
#include "vote/signing.hpp"

#include <chimera/abi/coordinator.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chimera::group {

/// The way from one party to the others. A member has one neighbour, the hub; the hub has all members that are up.
class outbox {
  public:
    /// Queues a frame; its views are valid during the call. In order for each neighbour, and never refused: the windows
    /// bound what can be queued.
    virtual void send(std::int32_t to, const frames::frame&) = 0;

  protected:
    ~outbox() = default;
};

/// A neighbour broke the protocol: its connection is closed with this reason, and nothing it sent counts any more.
class protocol_error : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The public keys of the members' votes, as they become known.
class known_keys final : public vote::verifier {
  public:
    known_keys(std::string group, std::size_t members);
    /// Throws protocol_error if another member has this key.
    void set(std::int32_t member, std::span<const std::byte> key);
    bool verify(const vote::statement& said, const vote::signature& by) const override;

  private:
    std::string group_;
    std::vector<std::optional<vote::public_key>> keys_;
    std::optional<vote::roster> roster_;
};

/// Numbers of frames are unsigned; CHM_TO_HUB and CHM_TO_ALL are the largest.
constexpr std::uint32_t wire(std::int32_t who) noexcept { return static_cast<std::uint32_t>(who); }
constexpr std::int32_t unwire(std::uint32_t who) noexcept { return static_cast<std::int32_t>(who); }
inline std::span<const std::byte> bytes(std::string_view text) noexcept {
    return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view text(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A hub or a member, without I/O, threads or a clock: times (CLOCK_MONOTONIC, ns) and random bytes are handed in.
/// Equal inputs lead to equal frames. Not thread-safe: its owner's lock guards it, and the wakers that it collects are
/// woken when the lock is released.
class party {
  public:
    /// Fills with random bytes.
    using random_source = std::function<void(std::span<std::byte>)>;

    virtual ~party() = default;
    party(const party&) = delete;
    party& operator=(const party&) = delete;

    // What the task asks. Functions that fail throw sdk::error.

    /// False: a window is full; the waker of waiting_for::room will be woken.
    bool send(std::uint64_t now, std::int32_t to, std::uint32_t channel, std::span<const chm_str> parts,
              std::uint64_t& seq);
    /// nullptr: none. Its sender gets room for one more.
    const held_message* next_message();
    virtual std::uint64_t propose(std::uint64_t now, std::string_view action, std::string_view body) = 0;
    virtual void cast(std::uint64_t now, std::uint64_t proposal, bool yes) = 0;
    /// The end of a proposal. The views are valid until the next call that takes a time.
    struct ended_proposal {
        std::uint32_t outcome = 0, yes = 0, no = 0, phases = 1;
        vote::level level = vote::level::critical;
        std::string certificate;
    };
    /// nullptr: it has not ended. Throws sdk::error if there is no such proposal.
    virtual const ended_proposal* decision(std::uint64_t proposal) const = 0;
    /// True: all are there. Called again and again until then.
    virtual bool barrier(std::string_view name) = 0;
    /// Throws sdk::error when nothing was measured.
    void clock_offset(std::int32_t who, std::int64_t& offset_ns, std::uint64_t& bound_ns) const;
    /// The last frame of this party.
    virtual void leave() = 0;

    // What the link brings.

    /// A frame of a neighbour. Throws protocol_error.
    virtual void receive(std::uint64_t now, std::int32_t from, const frames::frame&) = 0;
    /// When expire() has to be called; UINT64_MAX: never.
    virtual std::uint64_t expiry() const;
    virtual void expire(std::uint64_t now);

    mailbox inbox;
    /// messages_*, frames_sent and decide_ns. The link counts serialize_ns here, and has the others.
    chm_endpoint_stats stats{};
    const membership& who() const noexcept { return group_; }
    /// Why no message can come or go any more; empty: they can.
    const std::string& lost() const noexcept { return lost_; }
    /// The link cannot go on.
    void link_failed(std::string why) { lose(std::move(why), false); }
    /// The hub has closed the group in order.
    bool closed() const noexcept { return closed_; }

  protected:
    /// rules: of ballots; they outlive it.
    party(membership, outbox&, wake_list&, random_source, const vote::rules& = usual_rules());
    static const vote::rules& usual_rules();

    bool is_up(std::int32_t who) const noexcept { return peers_[place(who)].up; }
    /// A peer came or went: its windows are new.
    void set_up(std::int32_t who, bool up);
    void deliver(const frames::frame&);
    void credit(const frames::frame&);
    void post(std::int32_t to, const frames::frame&);
    frames::frame made(frames::kind) const;
    void ping(std::uint64_t now, std::int32_t who);
    void answer_ping(std::uint64_t now, std::int32_t from, const frames::frame&);
    void take_pong(std::uint64_t now, std::int32_t from, const frames::frame&);
    void lose(std::string why, bool in_order);
    void event(std::uint32_t kind, std::int32_t who) { inbox.add_event({kind, 0, who, 0, {}, {}}); }
    std::uint64_t random_number();

    membership group_;
    known_keys keys_;
    vote::group voting_;
    random_source random_;

  private:
    struct window {
        std::uint32_t on_their_way = 0; ///< sent to this peer, and not yet taken by its task
        std::uint32_t waiting = 0;      ///< from this peer, in the mailbox
        std::uint32_t to_return = 0;    ///< taken here, and not yet told
        bool up = false;
    };
    struct offset {
        std::int64_t ns = 0;
        std::uint64_t bound = UINT64_MAX, measured = 0;
    };
    std::size_t place(std::int32_t who) const noexcept {
        return who == CHM_TO_HUB ? peers_.size() - 1 : static_cast<std::size_t>(who);
    }
    bool knows(std::int32_t who) const noexcept { return who == CHM_TO_HUB || group_.has(who); }
    template <class Act>
    void for_receivers(std::int32_t to, Act&& act);
    virtual void route(std::int32_t to, const frames::frame&) = 0;

    outbox& out_;
    std::vector<window> peers_; // by number, and the hub
    std::vector<offset> offsets_;
    std::map<std::pair<std::int32_t, std::uint32_t>, std::uint64_t> sent_; // by receiver and channel
    std::string joined_parts_;
    std::string lost_;
    bool closed_ = false;
    std::uint64_t next_ping_ = UINT64_MAX;
};

/// Adds the time of its life to a figure of chm_endpoint_stats, less the growth of another that is counted meanwhile.
class timed {
  public:
    explicit timed(std::uint64_t& into, const std::uint64_t* apart = nullptr) noexcept;
    ~timed();
    timed(const timed&) = delete;
    timed& operator=(const timed&) = delete;

  private:
    std::uint64_t& into_;
    const std::uint64_t* const apart_;
    const std::uint64_t before_, begin_;
};

} // namespace chimera::group
