#include "quic/driver.hpp"

#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/error.hpp>
#include <chimera/sdk/reactor.hpp>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>

namespace chimera::quic {
namespace {

/// A look-up of names on a thread that may block. Both sides own it.
struct look_up {
    std::atomic<bool> done{false};
    std::vector<address> found;
    std::optional<sdk::error> failure;
    sdk::waker_slot waiter;
};

class driver final : public chm_task {
  public:
    driver(std::shared_ptr<station> s, chm_reactor* reactor) noexcept
        : chm_task{&table}, station_(std::move(s)), reactor_(reactor) {}

  private:
    static chm_rc poll(chm_task* t, chm_waker* waker) noexcept { return static_cast<driver*>(t)->take_turn(waker); }
    static void drop(chm_task* t) noexcept {
        auto* me = static_cast<driver*>(t);
        if (me->names_) me->names_->waiter.clear();
        {
            const group::holding lock(me->station_->lock);
            me->station_->driver = {};
            if (!me->station_->closing) me->station_->fail(CHM_E_CANCELED, "the executor has stopped");
        }
        delete me;
    }
    static constexpr chm_task_vt table{poll, drop};

    chm_rc take_turn(chm_waker* waker) noexcept {
        station& s = *station_;
        const group::holding lock(s.lock);
        const std::uint64_t begin = sdk::now_ns();
        const chm_endpoint_stats& work = s.core().stats;
        const std::uint64_t apart = work.serialize_ns + work.decide_ns;
        s.driver.become(waker);
        s.driver_woken = false;
        chm_rc rc = CHM_READY;
        try {
            rc = is_open(waker) ? turn(waker) : CHM_PENDING;
        } catch (const sdk::error& e) {
            s.fail(e.code(), e.what());
        } catch (const std::exception& e) {
            s.fail(CHM_E_FAIL, e.what());
        }
        const std::uint64_t all = sdk::now_ns() - begin;
        s.driver_ns += all;
        s.network_ns += all - std::min(all, work.serialize_ns + work.decide_ns - apart);
        return rc;
    }

    /// False: the name is still looked up.
    bool is_open(chm_waker* waker) {
        if (socket_) return true;
        if (station_->closing) return true; // nothing was begun
        const std::vector<address> found = addresses(waker);
        if (found.empty()) return station_->closing;
        const impairment& link = station_->link_quality();
        const bool hub = station_->is_hub();
        socket_.emplace(hub ? udp_socket::bound_to(found.front(), link)
                            : udp_socket::connected_to(found.front(), link));
        io_ = sdk::io(reactor_, socket_->fd());
        timer_ = sdk::timer(reactor_);
        station_->begin(sdk::now_ns(), hub ? socket_->local() : found.front());
        return true;
    }

    /// None: a thread that may block still looks them up.
    std::vector<address> addresses(chm_waker* waker) {
        const std::string& where = station_->where();
        if (is_numeric(where)) return resolve(where, true);
        if (!names_) {
            names_ = std::make_shared<look_up>();
            std::thread([names = names_, where] {
                try {
                    names->found = resolve(where, false);
                } catch (const sdk::error& e) {
                    names->failure = e;
                } catch (const std::exception& e) {
                    names->failure = sdk::error(CHM_E_RESOLVE, e.what());
                }
                names->done.store(true, std::memory_order_release);
                names->waiter.wake();
            }).detach();
        }
        names_->waiter.set(waker);
        if (!names_->done.load(std::memory_order_acquire)) return {};
        if (names_->failure) throw *names_->failure;
        return names_->found;
    }

    chm_rc turn(chm_waker* waker) {
        station& s = *station_;
        if (!socket_) return CHM_READY; // closed before its name was found
        constexpr int most_rounds = 8;  // then others on this worker have their turn
        for (int round = 0; round < most_rounds; ++round) {
            const std::uint32_t interest = CHM_IO_READ | (socket_->is_blocked() ? std::uint32_t{CHM_IO_WRITE} : 0U);
            const std::uint32_t seen = io_.poll(interest, waker);
            std::uint64_t now = sdk::now_ns();
            if ((seen & (CHM_IO_READ | CHM_IO_ERR | CHM_IO_HUP)) != 0) read(now, seen);
            if (s.expiry() <= now) s.expire(now);
            if (socket_->flush(now)) s.write(now, *socket_);
            const bool room = !socket_->is_blocked();
            if (!room && (seen & CHM_IO_WRITE) != 0) io_.drained(seen, CHM_IO_WRITE);
            s.writes = socket_->writes;
            s.bytes = socket_->bytes;
            now = sdk::now_ns();
            if (s.is_over(now)) return CHM_READY;
            if (seen != 0 || (!room && (interest & CHM_IO_WRITE) == 0)) continue; // asks again, now with a waker
            // What waits for room is not due.
            const std::uint64_t next =
                std::min(room ? s.expiry() : std::max(s.expiry(), now + blocked_ns), socket_->expiry());
            if (next == UINT64_MAX || !timer_.poll(next, waker)) return CHM_PENDING;
        }
        s.wake_driver(); // when the lock is released
        return CHM_PENDING;
    }

    void read(std::uint64_t now, std::uint32_t seen) {
        try {
            const bool all = socket_->receive([&](const address& from, std::span<const std::byte> datagram) {
                try {
                    station_->read(now, from, datagram);
                } catch (const std::exception&) { // out of memory, say: a datagram is lost
                }
            });
            if (all) io_.drained(seen, CHM_IO_READ | CHM_IO_ERR);
        } catch (const sdk::error&) {
            io_.recheck(seen, CHM_IO_READ | CHM_IO_ERR);
            station_->on_refused();
        }
    }

    static constexpr std::uint64_t blocked_ns = 1'000'000;

    const std::shared_ptr<station> station_;
    chm_reactor* const reactor_;
    std::shared_ptr<look_up> names_;
    // Destroyed from the last to the first.
    std::optional<udp_socket> socket_;
    sdk::io io_;
    sdk::timer timer_;
};

} // namespace

chm_task* make_driver(std::shared_ptr<station> s, chm_reactor* reactor) { return new driver(std::move(s), reactor); }

} // namespace chimera::quic
