#include "group/mailbox.hpp"

#include <utility>

namespace chimera::group {

namespace {
constexpr std::size_t most_events = 1024;
constexpr std::size_t first_size = 16;
} // namespace

held_message& mailbox::add_message() {
    const auto next = [this](std::size_t at) { return at + 1 == ring_.size() ? 0 : at + 1; };
    if (ring_.empty() || next(last_) == first_) { // one slot stays free, so that full differs from empty
        std::vector<held_message> larger(ring_.empty() ? first_size : ring_.size() * 2);
        std::size_t n = 0;
        if (!ring_.empty())
            for (std::size_t at = first_; at != last_; at = next(at)) larger[n++] = std::move(ring_[at]);
        ring_.swap(larger);
        first_ = 0;
        last_ = n;
    }
    held_message& slot = ring_[last_];
    last_ = next(last_);
    wake(waiting_for::message);
    return slot;
}

const held_message* mailbox::next_message() {
    if (first_ == last_) return nullptr;
    std::swap(current_message_, ring_[first_]);
    first_ = first_ + 1 == ring_.size() ? 0 : first_ + 1;
    return &current_message_;
}

void mailbox::add_event(held_event e) {
    if (events_.size() == most_events) events_.pop_front();
    events_.push_back(std::move(e));
    wake(waiting_for::event);
}

const held_event* mailbox::next_event() {
    if (events_.empty()) return nullptr;
    current_event_ = std::move(events_.front());
    events_.pop_front();
    return &current_event_;
}

void mailbox::wake(waiting_for what) {
    sdk::waker& w = wakers_[static_cast<std::size_t>(what)];
    if (w) woken_.push_back(std::exchange(w, {}));
}

void mailbox::wake_all() {
    for (std::size_t i = 0; i < kinds_of_waiting; ++i) wake(static_cast<waiting_for>(i));
}

} // namespace chimera::group
