// For authors of reactors: armed timers in the order of their deadlines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace chimera::sdk {

/// A binary heap whose entries know their place in it, so that any one is moved or removed in O(log n). One thread at a
/// time. Entry needs
///   std::uint64_t due_ns() const    its deadline, which changes only between remove and add, or before moved
///   std::size_t place               the heap's own; 0: not in it
template <class Entry>
class timer_heap {
  public:
    /// No entry is in it.
    bool empty() const noexcept { return entries_.empty(); }
    /// [not empty] The one that is due first.
    Entry& first() const noexcept { return *entries_.front(); }
    /// [in no heap] Borrowed until removed. Throws std::bad_alloc.
    void add(Entry& e) {
        entries_.push_back(&e);
        sift(entries_.size() - 1);
    }
    /// [in this heap] The deadline has changed.
    void moved(Entry& e) noexcept { sift(e.place - 1); }
    /// Takes the entry out, if it is in it.
    void remove(Entry& e) noexcept {
        if (e.place == 0) return;
        const std::size_t hole = e.place - 1;
        Entry* const last = entries_.back();
        entries_.pop_back();
        if (last != &e) {
            put(hole, last);
            sift(hole);
        }
        e.place = 0;
    }

  private:
    void put(std::size_t i, Entry* e) noexcept {
        entries_[i] = e;
        e->place = i + 1;
    }
    void sift(std::size_t i) noexcept { // restores the order around i, in whichever direction
        Entry* const e = entries_[i];
        const std::uint64_t due = e->due_ns();
        for (; i > 0 && entries_[(i - 1) / 2]->due_ns() > due; i = (i - 1) / 2) put(i, entries_[(i - 1) / 2]);
        for (;;) {
            std::size_t child = 2 * i + 1;
            if (child >= entries_.size()) break;
            if (child + 1 < entries_.size() && entries_[child + 1]->due_ns() < entries_[child]->due_ns()) ++child;
            if (entries_[child]->due_ns() >= due) break;
            put(i, entries_[child]);
            i = child;
        }
        put(i, e);
    }

    std::vector<Entry*> entries_;
};

} // namespace chimera::sdk
