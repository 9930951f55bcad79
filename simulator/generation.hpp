#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fault.hpp"
#include "generation_request.hpp"
#include "http_connection.hpp"
#include "pacing.hpp"

namespace chimera::sim {

/// The place of an owner's timer in a timer_heap.
struct timer_slot {
    static constexpr std::size_t idle = ~std::size_t{0};
    std::size_t place = idle;
};

/// A four-ary heap of deadlines, one for each owner at most, which its `timer` member finds again: moving an owner's
/// deadline, the usual case after a token, costs one sift and no allocation. Owners must be removed before they die.
template <typename Owner>
class timer_heap {
  public:
    bool empty() const { return entries_.empty(); }
    std::int64_t next_deadline() const { return entries_.front().deadline; }
    Owner& next_owner() const { return *entries_.front().owner; }

    /// Sets or moves the owner's deadline.
    void set(Owner& owner, std::int64_t deadline) {
        std::size_t place = owner.timer.place;
        if (place == timer_slot::idle) {
            place = entries_.size();
            entries_.push_back({deadline, &owner});
        }
        settle({deadline, &owner}, place);
    }

    void remove(Owner& owner) {
        const std::size_t place = owner.timer.place;
        if (place == timer_slot::idle) {
            return;
        }
        owner.timer.place = timer_slot::idle;
        const entry last = entries_.back();
        entries_.pop_back();
        if (place < entries_.size()) {
            settle(last, place);
        }
    }

  private:
    struct entry {
        std::int64_t deadline;
        Owner* owner;
    };
    static constexpr std::size_t children = 4;

    void place_at(const entry& e, std::size_t place) {
        entries_[place] = e;
        e.owner->timer.place = place;
    }

    /// Puts `e`, whose place is free, where it belongs above or below it.
    void settle(const entry& e, std::size_t place) {
        while (place > 0 && e.deadline < entries_[(place - 1) / children].deadline) {
            place_at(entries_[(place - 1) / children], place);
            place = (place - 1) / children;
        }
        for (;;) {
            const std::size_t first = place * children + 1;
            const std::size_t end = first + children < entries_.size() ? first + children : entries_.size();
            std::size_t least = place;
            for (std::size_t child = first; child < end; ++child) {
                const auto bound = least == place ? e.deadline : entries_[least].deadline;
                if (entries_[child].deadline < bound) {
                    least = child;
                }
            }
            if (least == place) {
                break;
            }
            place_at(entries_[least], place);
            place = least;
        }
        place_at(e, place);
    }

    std::vector<entry> entries_;
};

/// One reply on its way: made by the server for a request, moved on by the generation_engine until it is over.
struct generation {
    enum class phase : std::uint8_t {
        queued,
        loading,
        prefill,
        decoding,
        lingering, ///< everything is sent but the end of the body
        ending
    };

    /// The fate of the connection after the reply.
    enum class ending : std::uint8_t {
        keep, ///< the reply is complete (the request may still have asked for the end of the connection)
        close,
        drop ///< already closed, or broken
    };

    generation(http_connection& over, generation_request&& what) : connection(over), request(std::move(what)) {}
    const runner_key& key() const { return request.runner; }
    bool chunked() const { return (request.stream || fault.kind == fault_kind::linger) && !http_1_0; }
    bool next_is_unsent() const { return next >= unsent_from && next < unsent_to; }
    std::uint32_t token_count() const { return static_cast<std::uint32_t>(tokens.size()); }

    /// Decides on all tokens of the reply, and which of them are not sent. Once, when the request is taken on.
    void compose();

    /// The figures of a final record that is sent at `sent`.
    reply_totals totals(std::int64_t sent) const;

    http_connection& connection;
    void* owner = nullptr; ///< of the server
    generation_request request;
    fault_spec fault;
    bool keep_alive = true;
    bool http_1_0 = false;

    std::vector<token_id> tokens;
    token_grid grid;
    std::uint32_t next = 0;        ///< token to be sent next
    std::uint32_t unsent_from = 0; ///< tokens from here to `unsent_to` are waited for and counted, and not sent
    std::uint32_t unsent_to = 0;
    std::uint32_t records = 0; ///< records sent, for faults
    bool head_sent = false;

    phase now = phase::queued;
    ending end = ending::keep;
    bool has_slot = false;
    bool decoding = false;  ///< counted by the decode clock
    std::uint32_t twin = 0; ///< its number among equal requests that decode
    bool stalled = false;

    timer_slot timer;
    bool timer_counts_progress = false; ///< which of the engine's two heaps the timer is in

    std::int64_t arrived = 0;
    std::int64_t load = 0;
    std::int64_t prefill_began = 0;
    std::int64_t decode_began = 0;
    std::int64_t last_token_at = 0;
    std::int64_t held_until = 0; ///< tokens due before this waited for the client to read

    std::string drip; ///< bytes that a slow_drip has still to send
    std::size_t dripped = 0;
    std::int64_t drip_at = 0;

    std::string held; ///< bytes that a clump keeps back
    std::int64_t released_at = 0;
};

} // namespace chimera::sim
