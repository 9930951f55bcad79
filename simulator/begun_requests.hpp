#pragma once

#include <cstddef>
#include <cstdint>
#include <list>

namespace chimera::sim {

/// Connections whose peer has to do something soon: to send the rest of a request, or to close its side. Each has the
/// same time for it, so the one that began first is due first. Keeps count of the memory that all requests occupy.
template <class Connection>
class begun_requests {
    struct entry {
        Connection* who;
        std::int64_t due;
    };

  public:
    /// What a connection keeps of this.
    class place {
        friend class begun_requests;
        typename std::list<entry>::iterator at;
        bool awaited = false;
        std::size_t bytes = 0;
    };

    /// `timeout_ns` 0: no limit.
    explicit begun_requests(std::int64_t timeout_ns) : timeout_ns_(timeout_ns) {}

    /// The peer's time runs from now on, unless it runs already.
    void await(Connection& who, place& p, std::int64_t now) {
        if (p.awaited || timeout_ns_ == 0) {
            return;
        }
        p.at = waiting_.insert(waiting_.end(), {&who, now + timeout_ns_});
        p.awaited = true;
    }
    void settle(place& p) {
        if (p.awaited) {
            waiting_.erase(p.at);
            p.awaited = false;
        }
    }
    /// The connection's requests occupy so many bytes now. Returns those of all connections.
    std::size_t account(place& p, std::size_t bytes) {
        bytes_ = bytes_ - p.bytes + bytes;
        p.bytes = bytes;
        return bytes_;
    }
    void forget(place& p) {
        settle(p);
        account(p, 0);
    }

    /// When the first one is due; `never`: nobody is waited for.
    std::int64_t next_due(std::int64_t never) const { return waiting_.empty() ? never : waiting_.front().due; }
    /// [next_due has passed]
    Connection& first() const { return *waiting_.front().who; }

  private:
    const std::int64_t timeout_ns_;
    std::list<entry> waiting_;
    std::size_t bytes_ = 0;
};

} // namespace chimera::sim
