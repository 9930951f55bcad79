#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace chimera::sim {

/// What a timer_heap keeps about an owner's one timer.
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

} // namespace chimera::sim
