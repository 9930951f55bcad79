#include "local/room.hpp"

#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/error.hpp>

#include <algorithm>
#include <chrono>

#include <pthread.h>
#include <sys/random.h>

namespace chimera::local {
namespace {

constexpr std::uint64_t join_limit_ns = 10'000'000'000;

void draw(std::span<std::byte> out) {
    if (getrandom(out.data(), out.size(), 0) != static_cast<ssize_t>(out.size()))
        throw sdk::error(CHM_E_FAIL, "the system gives no random bytes");
}

/// Copies what the views show, and points them there.
frames::frame copied(const frames::frame& f, std::string& memory) {
    memory.reserve(f.text.size() + f.body.size() + f.digest.size() + f.signature.size() + f.key.size());
    frames::frame out = f;
    memory += f.text;
    out.text = memory;
    const auto keep = [&memory](std::span<const std::byte>& view) {
        const std::size_t begin = memory.size();
        memory += group::text(view);
        view = group::bytes(std::string_view(memory).substr(begin));
    };
    keep(out.body);
    keep(out.digest);
    keep(out.signature);
    keep(out.key);
    return out;
}

} // namespace

// ---- room

room::~room() {
    {
        const std::lock_guard lock(lock_.mutex);
        closing_ = true;
        earlier_.notify_one();
    }
    if (clock_.joinable()) clock_.join();
}

local_endpoint* room::at(std::int32_t who) const noexcept {
    if (who == CHM_TO_HUB) return hub_;
    return static_cast<std::size_t>(who) < places_.size() ? places_[static_cast<std::size_t>(who)] : nullptr;
}

bool room::enter(local_endpoint& e) {
    if (places_.size() < e.group_size()) places_.resize(e.group_size());
    if (at(e.number()) != nullptr) return false;
    if (e.number() == CHM_TO_HUB) {
        hub_ = &e;
        for (local_endpoint* member : places_)
            if (member != nullptr) member->core().inbox.wake(group::waiting_for::ready);
    } else {
        places_[static_cast<std::size_t>(e.number())] = &e;
        e.gives_up_at = sdk::now_ns() + join_limit_ns;
    }
    if (!clock_.joinable())
        clock_ = std::thread([this] {
            pthread_setname_np(pthread_self(), "group clock");
            keep_time();
        });
    return true;
}

void room::leave(local_endpoint& e) {
    e.core().leave();
    settle();
    if (&e == hub_) {
        hub_ = nullptr;
    } else {
        places_[static_cast<std::size_t>(e.number())] = nullptr;
    }
}

bool room::let_in(local_endpoint& e, std::uint64_t now) {
    if (hub_ == nullptr) return false;
    if (const std::string why = hub_->as_hub().admit(e.as_member().hello(0)); !why.empty())
        throw sdk::error(CHM_E_PROTO,
                         "the hub refuses member \"" + std::string(e.core().who().name_of(e.number())) + "\": " + why);
    e.gives_up_at = UINT64_MAX;
    e.as_member().welcomed(now, hub_->as_hub().welcome());
    hub_->as_hub().brief(e.number());
    settle();
    return true;
}

void room::give(std::int32_t from, std::int32_t to, const frames::frame& f) {
    if (local_endpoint* receiver = at(to)) receiver->core().receive(sdk::now_ns(), from, f);
}

void room::hand_over(std::int32_t from, std::int32_t to, const frames::frame& f) {
    // These lead to no answer, so no party is entered twice. Everything else waits until its sender is done.
    if (f.kind == frames::kind::message || f.kind == frames::kind::credit) return give(from, to, f);
    queued& q = queue_.emplace_back();
    q.from = from;
    q.to = to;
    q.frame = copied(f, q.memory);
}

void room::settle() {
    if (delivering_) return;
    delivering_ = true;
    while (!queue_.empty()) {
        std::list<queued> next;
        next.splice(next.begin(), queue_, queue_.begin()); // in place: the frame's views stay
        const queued& q = next.front();
        try {
            give(q.from, q.to, q.frame);
        } catch (const group::protocol_error&) { // no stranger is here: what one party says to another is in order
            continue;
        }
    }
    delivering_ = false;
    std::uint64_t next = hub_ == nullptr ? UINT64_MAX : hub_->core().expiry();
    for (local_endpoint* member : places_)
        if (member != nullptr) next = std::min({next, member->core().expiry(), member->gives_up_at});
    if (next < sleeps_until_) earlier_.notify_one();
}

void room::keep_time() {
    std::unique_lock lock(lock_.mutex);
    while (!closing_) {
        const std::uint64_t now = sdk::now_ns();
        std::uint64_t next = UINT64_MAX;
        const auto see_to = [&](local_endpoint* e) {
            if (e == nullptr) return;
            if (e->core().expiry() <= now) e->core().expire(now);
            if (e->gives_up_at <= now) {
                e->gives_up_at = 0;
                e->core().inbox.wake(group::waiting_for::ready);
            }
        };
        see_to(hub_);
        for (local_endpoint* member : places_) see_to(member);
        settle();
        if (!lock_.woken.empty()) {
            group::wake_list woken = std::move(lock_.woken);
            lock_.woken.clear();
            lock.unlock();
            for (sdk::waker& w : woken) w.wake();
            lock.lock();
            continue;
        }
        if (hub_ != nullptr) next = hub_->core().expiry();
        for (local_endpoint* member : places_)
            if (member != nullptr)
                next = std::min(
                    {next, member->core().expiry(), member->gives_up_at == 0 ? UINT64_MAX : member->gives_up_at});
        sleeps_until_ = next;
        if (next == UINT64_MAX)
            earlier_.wait(lock);
        else
            earlier_.wait_for(lock, std::chrono::nanoseconds(next > now ? next - now : 0));
        sleeps_until_ = UINT64_MAX;
    }
}

// ---- endpoint

local_endpoint::local_endpoint(std::shared_ptr<room> in, group::membership m)
    : endpoint(in->lock()), room_(std::move(in)) {
    const group::holding lock(room_->lock());
    group::wake_list& woken = room_->lock().woken;
    if (m.is_hub())
        party_ = std::make_unique<group::hub>(std::move(m), *this, woken, draw);
    else
        party_ = std::make_unique<group::member>(std::move(m), *this, woken, draw);
    if (!room_->enter(*this))
        throw sdk::error(CHM_E_STATE, "\"" + std::string(party_->who().name_of(number())) + "\" is in group \"" +
                                          party_->who().group + "\" already");
}

bool local_endpoint::is_ready() {
    if (!party_->lost().empty()) throw sdk::error(CHM_E_CLOSED, party_->lost());
    if (number() == CHM_TO_HUB || as_member().is_in()) return true;
    if (room_->let_in(*this, sdk::now_ns())) return true;
    if (gives_up_at == 0)
        throw sdk::error(CHM_E_CONNECT, "group \"" + party_->who().group + "\" has no hub in this process");
    return false;
}

void local_endpoint::close() noexcept {
    const std::shared_ptr<room> room = room_; // outlives this
    {
        const group::holding lock(room->lock());
        party_->inbox.forget_waiting();
        room->leave(*this);
        // Wakers of this endpoint are dropped, not woken: its task has closed it.
        party_.reset();
    }
    delete this;
}

} // namespace chimera::local
