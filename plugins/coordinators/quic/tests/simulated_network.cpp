#include "simulated_network.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace chimera::quic::test {

std::vector<std::byte> bytes_of(std::string_view text) {
    const auto b = std::as_bytes(std::span(text.data(), text.size()));
    return {b.begin(), b.end()};
}

std::vector<std::byte> pattern(std::size_t n, std::uint64_t seed) {
    std::vector<std::byte> result(n);
    std::uint64_t x = seed * 2 + 1;
    for (auto& b : result) {
        x = x * 6364136223846793005U + 1442695040888963407U;
        b = static_cast<std::byte>(x >> 56);
    }
    return result;
}

address address_of(std::uint8_t number) {
    address a;
    a.size = 16;
    a.bytes[0] = std::byte{2};
    a.bytes[7] = static_cast<std::byte>(number);
    return a;
}

random_source seeded(std::uint64_t seed) {
    return [rng = std::mt19937_64(seed)](std::span<std::byte> out) mutable {
        for (auto& b : out) b = static_cast<std::byte>(rng() >> 56);
    };
}

namespace {

member_key key_of(const std::string& name, std::string key) {
    key.resize(32, '.');
    return {name, secret(bytes_of(key))};
}

} // namespace

std::shared_ptr<const credentials> hub_with_keys(const std::vector<std::string>& names) {
    std::vector<member_key> keys;
    for (const auto& name : names) keys.push_back(key_of(name, name));
    return credentials::hub_with_keys(std::move(keys));
}

std::shared_ptr<const credentials> member_with_key(const std::string& name, const std::string& key) {
    return credentials::member_with_key(key_of(name, key));
}

void collector::on_bytes(std::span<const std::byte> bytes) noexcept {
    got.insert(got.end(), bytes.begin(), bytes.end());
    if (echo) of->send(bytes);
    if (!hold) of->consumed(bytes.size());
}

world::world(std::uint64_t seed, std::shared_ptr<const credentials> who, const listener_options& options,
             std::size_t segments)
    : hub(std::move(who), options, seeded(seed), *this, segments), rng_(seed), seed_(seed), segments_(segments) {}

world::member& world::join(std::shared_ptr<const credentials> who, const connection_options& options) {
    auto m = std::make_unique<member>();
    const auto number = members_.size() + 1;
    m->link = connection::connect(std::move(who), options, seeded(seed_ * 1000 + number), now_);
    m->at = address_of(static_cast<std::uint8_t>(number));
    m->got.of = m->link.get();
    m->link->set_receiver(&m->got);
    members_.push_back(std::move(m));
    return *members_.back();
}

connection* world::at_hub(const std::string& name) {
    const auto found = at_hub_.find(name);
    return found == at_hub_.end() ? nullptr : found->second;
}

receiver* world::on_connection(connection& c, const address&) noexcept {
    ++accepted;
    if (!welcome) return nullptr;
    at_hub_[c.peer_name()] = &c;
    auto& got = hub_got_[c.peer_name()];
    got.of = &c;
    note(1);
    return &got;
}

void world::on_removed(connection& c) noexcept {
    ++removed;
    if (at_hub(c.peer_name()) == &c) at_hub_.erase(c.peer_name());
}

void world::note(std::uint64_t value) { trace_ = (trace_ ^ value) * 1099511628211U; }

void world::post_one(bool to_hub_side, const address& peer, std::span<const std::byte> datagram) {
    biggest = std::max<std::uint64_t>(biggest, datagram.size());
    note(now_);
    note(datagram.size() * 2 + (to_hub_side ? 1 : 0));
    if (keep && to_hub_side) to_hub.emplace_back(datagram.begin(), datagram.end());
    const int copies = 1 + (chance() < network.doubled ? 1 : 0);
    for (int i = 0; i < copies; ++i) {
        if (chance() < network.loss || datagram.size() > largest) continue;
        const auto late = network.jitter == 0 ? 0 : rng_() % network.jitter;
        packet p{to_hub_side, peer, {datagram.begin(), datagram.end()}};
        if (chance() < network.corrupted) {
            if (chance() < 0.5)
                p.bytes[rng_() % p.bytes.size()] ^= static_cast<std::byte>(1U << (rng_() % 8));
            else
                p.bytes.resize(rng_() % p.bytes.size() + 1);
        }
        under_way_.emplace(now_ + network.delay + late, std::move(p));
    }
}

void world::post(bool to_hub_side, const address& peer, std::span<const std::byte> datagrams, std::size_t segment) {
    while (!datagrams.empty()) {
        const auto n = std::min(segment, datagrams.size());
        post_one(to_hub_side, peer, datagrams.first(n));
        datagrams = datagrams.subspan(n);
    }
}

void world::inject(const address& from, std::span<const std::byte> datagram) {
    under_way_.emplace(now_, packet{true, from, {datagram.begin(), datagram.end()}});
}

void world::flush() {
    std::vector<std::byte> buffer(16384 * segments_);
    for (auto& m : members_) {
        while (m->link->wants_write()) {
            const auto w = m->link->write(now_, buffer);
            if (w.bytes == 0) break;
            post(true, m->at, std::span(buffer).first(w.bytes), w.segment);
        }
    }
    struct sink final : datagram_sink {
        world* w = nullptr;
        bool send(const address& to, std::span<const std::byte> datagrams, std::size_t segment) override {
            w->post(false, to, datagrams, segment);
            return true;
        }
    } s;
    s.w = this;
    hub.write(now_, s);
}

bool world::step(std::uint64_t end) {
    auto next = hub.expiry();
    for (const auto& m : members_) next = std::min(next, m->link->expiry());
    if (!under_way_.empty()) next = std::min(next, under_way_.begin()->first);
    if (next > end) {
        now_ = end;
        return false;
    }
    now_ = std::max(now_, next);
    // As a driver's turn: all that is there is read before anything is written.
    while (!under_way_.empty() && under_way_.begin()->first <= now_) {
        auto p = std::move(under_way_.begin()->second);
        under_way_.erase(under_way_.begin());
        if (p.to_hub) {
            hub.read(now_, p.peer, p.bytes);
            continue;
        }
        for (auto& m : members_)
            if (m->at == p.peer) m->link->read(now_, p.bytes);
    }
    for (auto& m : members_) m->link->expire(now_);
    if (hub.expiry() <= now_) hub.expire(now_);
    flush();
    return true;
}

} // namespace chimera::quic::test
