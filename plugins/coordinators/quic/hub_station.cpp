#include "quic/hub_station.hpp"

#include <chimera/sdk/error.hpp>

#include <algorithm>
#include <utility>

namespace chimera::quic {
namespace {

/// Datagrams of one system call, which takes 64 KiB in all.
std::size_t segments_of(const station_options& o) noexcept {
    return std::min<std::size_t>(16, 65000 / o.listen.connection.max_udp_payload);
}

/// Remembers that there was no room.
class watched_sink final : public datagram_sink {
  public:
    explicit watched_sink(datagram_sink& to) noexcept : to_(to) {}
    bool send(const address& to, std::span<const std::byte> datagrams, std::size_t segment) override {
        return has_room = to_.send(to, datagrams, segment);
    }
    bool has_room = true;

  private:
    datagram_sink& to_;
};

listener_options listening(const station_options& o, std::size_t members) {
    listener_options l = o.listen;
    // A member that comes back may overlap with what is left of its old connection.
    l.max_connections = std::max(l.max_connections, 2 * members + 8);
    return l;
}

} // namespace

hub_station::guest::guest(hub_station& of, connection& c)
    : over(c), link(of.options_.link, of.hub_.who().max_message, of.hub_.stats,
                    [this, &of](const frames::frame& f) { of.take(*this, f); }) {
    link.attach(c);
}

hub_station::hub_station(const chm_endpoint_args& args, const station_options& o, group::membership m)
    : station(args, o), who_(credentials_for(args, o, m)),
      hub_(std::move(m), *this, lock.woken, o.random, o.wait_for_all_votes),
      listener_(who_, listening(o, hub_.who().members.size()), o.random, *this, segments_of(o)),
      places_(hub_.who().members.size()) {}

void hub_station::begin(std::uint64_t now, const address& own) {
    now_ = now;
    hub_address_ = text_of(own);
    hub_.inbox.wake(group::waiting_for::ready);
}

receiver* hub_station::on_connection(connection& c, const address&) noexcept {
    try {
        return &guests_.emplace_back(*this, c).link;
    } catch (const std::exception&) {
        return nullptr; // out of memory
    }
}

void hub_station::on_removed(connection& c) noexcept {
    const auto gone = std::ranges::find_if(guests_, [&](const guest& g) { return &g.over == &c; });
    if (gone == guests_.end()) return;
    lost_of_the_gone_ += c.statistics().lost_packets;
    gone->link.detach();
    say_gone(*gone);
    guests_.erase(gone);
}

void hub_station::take(guest& g, const frames::frame& f) {
    if (g.has_left) return;
    if (g.member >= 0) {
        hub_.receive(now_, g.member, f);
        if (f.kind == frames::kind::goodbye) say_gone(g);
        return;
    }
    if (f.kind != frames::kind::hello) throw group::protocol_error("a frame before hello");
    let_in(g, f);
}

void hub_station::say_gone(guest& g) {
    if (g.member < 0) return;
    const std::int32_t who = std::exchange(g.member, CHM_TO_HUB);
    g.has_left = true;
    if (places_[static_cast<std::size_t>(who)] != &g) return; // it is here again, over another connection
    places_[static_cast<std::size_t>(who)] = nullptr;
    hub_.member_left(who);
}

void hub_station::let_in(guest& g, const frames::frame& hello) {
    const std::int32_t who = group::unwire(hello.from);
    std::string why;
    if (hub_.who().has(who) && g.over.peer_name() != hub_.who().name_of(who))
        why = "the key is that of \"" + g.over.peer_name() + "\"";
    if (closing) why = "the group has ended";
    if (why.empty()) why = hub_.admit(hello);
    if (!why.empty()) {
        frames::frame no;
        no.kind = frames::kind::refused;
        no.from = group::wire(CHM_TO_HUB);
        no.epoch = hub_.who().epoch;
        no.text = why;
        g.link.send(now_, no);
        while (g.link.flush(UINT64_MAX)) {
        }
        g.over.finish();
        return;
    }
    g.member = who;
    places_[static_cast<std::size_t>(who)] = &g;
    frames::frame welcome = hub_.welcome();
    const bool both = (hello.codecs & frames::bit_of(options_.link.codec)) != 0;
    const auto codec = both ? options_.link.codec : frames::codec_id::json;
    welcome.codecs = frames::bit_of(codec);
    g.link.send(now_, welcome);
    g.link.use(codec);
    hub_.brief(who);
}

void hub_station::send(std::int32_t to, const frames::frame& f) {
    if (guest* g = places_[static_cast<std::size_t>(to)]) g->link.send(now_, f);
}

void hub_station::look() {
    for (guest& g : guests_) {
        if (!g.link.has_ended()) continue;
        if (g.over.state() == connection_state::open) g.over.finish();
        say_gone(g);
    }
}

void hub_station::read(std::uint64_t now, const address& from, std::span<const std::byte> datagram) {
    now_ = now;
    listener_.read(now, from, datagram);
}

void hub_station::write(std::uint64_t now, datagram_sink& to) {
    now_ = now;
    look();
    watched_sink watched(to);
    for (bool more = true; more && watched.has_room;) {
        more = false;
        for (guest& g : guests_) more = g.link.flush(now) || more;
        listener_.write(now, watched);
    }
    const bool empty = std::ranges::all_of(guests_, [](const guest& g) { return g.link.is_empty(); });
    if (closing && empty && !std::exchange(finished_, true)) {
        for (guest& g : guests_) g.over.finish();
        listener_.write(now, watched);
    }
}

std::uint64_t hub_station::expiry() const {
    std::uint64_t next = std::min({hub_.expiry(), gives_up_at_, listener_.expiry()});
    for (const guest& g : guests_) next = std::min(next, g.link.expiry());
    return next;
}

void hub_station::expire(std::uint64_t now) {
    now_ = now;
    if (listener_.expiry() <= now) listener_.expire(now);
    if (hub_.expiry() <= now) hub_.expire(now);
}

bool hub_station::is_over(std::uint64_t now) const {
    if (!closing) return false;
    const auto done = [](const guest& g) {
        return g.over.state() == connection_state::closed ||
               (g.over.state() == connection_state::closing && !g.over.wants_write());
    };
    return now >= gives_up_at_ || (finished_ && std::ranges::all_of(guests_, done));
}

std::uint64_t hub_station::lost_packets() const noexcept {
    std::uint64_t lost = lost_of_the_gone_;
    for (const guest& g : guests_) lost += g.over.statistics().lost_packets;
    return lost;
}

} // namespace chimera::quic
