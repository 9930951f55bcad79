#include "quic/member_station.hpp"

#include <chimera/sdk/error.hpp>

#include <algorithm>
#include <utility>

namespace chimera::quic {
namespace {

/// Datagrams of one system call, which takes 64 KiB in all.
std::size_t segments_of(const station_options& o) noexcept {
    return std::min<std::size_t>(16, 65000 / o.listen.connection.max_udp_payload);
}

std::string in_words(const close_reason& why) {
    switch (why.what) {
    case close_reason::cause::handshake_timeout:
        return "the hub did not answer in time";
    case close_reason::cause::idle_timeout:
        return "nothing came from the hub for too long";
    default:
        return why.text.empty() ? "the connection has ended" : why.text;
    }
}

chm_rc code_of(const close_reason& why) noexcept {
    switch (why.what) {
    case close_reason::cause::refused:
        return CHM_E_TLS;
    case close_reason::cause::handshake_timeout:
        return CHM_E_TIMEOUT;
    case close_reason::cause::protocol_error:
        return CHM_E_PROTO;
    default:
        return CHM_E_CLOSED;
    }
}

} // namespace

member_station::member_station(const chm_endpoint_args& args, const station_options& o, group::membership m)
    : station(args, o), who_(credentials_for(args, o, m)), member_(std::move(m), *this, lock.woken, o.random),
      link_(options_.link, member_.who().max_message, member_.stats, [this](const frames::frame& f) { take(f); }),
      buffer_(segments_of(o) * options_.listen.connection.max_udp_payload) {}

void member_station::begin(std::uint64_t now, const address& hub) {
    hub_ = hub;
    hub_address_ = text_of(hub);
    now_ = now;
    joins_until_ = now + options_.connect_ns;
    connection_ = connection::connect(who_, options_.listen.connection, options_.random, now);
    connection_->set_receiver(&link_);
    link_.attach(*connection_);
    link_.send(now, member_.hello(frames::bit_of(frames::codec_id::json) | frames::bit_of(options_.link.codec)));
}

void member_station::send(std::int32_t, const frames::frame& f) { link_.send(now_, f); }

void member_station::take(const frames::frame& f) {
    if (f.kind == frames::kind::welcome && !member_.is_in()) {
        const auto codec =
            f.codecs == frames::bit_of(options_.link.codec) ? options_.link.codec : frames::codec_id::json;
        link_.use(codec);
        joins_until_ = UINT64_MAX;
        return member_.welcomed(now_, f);
    }
    if (f.kind == frames::kind::refused && !member_.is_in()) {
        fail(CHM_E_PROTO, "the hub at " + address_ + " refuses member \"" +
                              std::string(member_.who().name_of(member_.who().self)) + "\": " + std::string(f.text));
        return;
    }
    member_.receive(now_, CHM_TO_HUB, f);
}

void member_station::look() {
    if (!connection_ || !link_.has_ended() || closing) return;
    const std::string why = in_words(connection_->reason());
    if (!member_.is_in() && !failure_) fail(code_of(connection_->reason()), "the hub at " + address_ + ": " + why);
    member_.hub_lost("the connection to the hub is lost: " + why);
}

void member_station::read(std::uint64_t now, const address&, std::span<const std::byte> datagram) {
    now_ = now;
    if (connection_) connection_->read(now, datagram);
}

bool member_station::drain(std::uint64_t now, datagram_sink& to) {
    for (written_datagrams d; (d = connection_->write(now, buffer_)).bytes > 0;)
        if (!to.send(hub_, std::span(buffer_).first(d.bytes), d.segment)) return false;
    return true;
}

void member_station::write(std::uint64_t now, datagram_sink& to) {
    now_ = now;
    look();
    if (!connection_) return;
    // Frames are handed over all at once, or one by one: then each leaves by itself.
    while (link_.flush(now))
        if (!drain(now, to)) return;
    if (closing && link_.is_empty() && !std::exchange(finished_, true)) connection_->finish();
    drain(now, to);
    look();
}

void member_station::close(std::uint64_t now) {
    now_ = now;
    station::close(now);
    if (connection_ && (!member_.is_in() || failure_)) connection_->close(0, "the member left");
}

std::uint64_t member_station::expiry() const {
    std::uint64_t next = std::min({member_.expiry(), joins_until_, gives_up_at_, link_.expiry()});
    if (connection_) next = std::min(next, connection_->expiry());
    return next;
}

void member_station::expire(std::uint64_t now) {
    now_ = now;
    if (connection_ && connection_->expiry() <= now) connection_->expire(now);
    if (member_.expiry() <= now) member_.expire(now);
    if (joins_until_ <= now) {
        joins_until_ = UINT64_MAX;
        fail(CHM_E_TIMEOUT, "the hub at " + address_ + " did not let the member in in time");
    }
}

void member_station::on_refused() {
    if (closing) return;
    if (!member_.is_in())
        fail(CHM_E_CONNECT, "nobody listens at " + address_ + ": is the hub running?");
    else
        member_.hub_lost("the connection to the hub is lost: nobody listens at " + address_ + " any more");
}

bool member_station::is_over(std::uint64_t now) const {
    if (!closing) return false;
    return now >= gives_up_at_ || !connection_ || connection_->state() == connection_state::closed ||
           (connection_->state() == connection_state::closing && !connection_->wants_write());
}

std::uint64_t member_station::lost_packets() const noexcept {
    return connection_ ? connection_->statistics().lost_packets : 0;
}

} // namespace chimera::quic
