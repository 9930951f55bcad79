#include "quic/connection.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <vector>

#include "quic/connection_owner.hpp"
#include "quic/send_queue.hpp"
#include "quic/tls_session.hpp"

namespace chimera::quic {
namespace {

constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t tls_codes = 0x100; // 0x100 to 0x1ff: the last byte is a TLS alert
constexpr std::uint64_t connection_refused = 0x2;
constexpr std::uint64_t application_error = 0xc; // stands for any close() during the handshake
constexpr unsigned no_application_protocol = 120;

using cause = close_reason::cause;

std::string with_reason(std::string text, const std::string& reason) {
    return reason.empty() ? text : text + ": " + reason;
}

close_reason explain(const protocol::close_seen& seen, const credentials& who) {
    if (seen.application) return {cause::closed_by_peer, seen.code, seen.reason};
    if (seen.code == 0) return {cause::closed_by_peer, 0, seen.reason};
    if (seen.code >= tls_codes && seen.code < 2 * tls_codes) {
        const auto alert = static_cast<unsigned>(seen.code - tls_codes);
        if (alert == no_application_protocol)
            return {cause::refused, 0, std::string("the peer does not speak ") + alpn};
        return {cause::refused, 0, who.why_refused_there(alert)};
    }
    if (seen.code == connection_refused) return {cause::refused, 0, with_reason("the hub has no room", seen.reason)};
    if (seen.code == application_error)
        return {cause::closed_by_peer, 0, with_reason("closed during the handshake", seen.reason)};
    return {cause::protocol_error, 0,
            with_reason("the peer found a protocol error, QUIC code " + std::to_string(seen.code), seen.reason)};
}

} // namespace

struct connection::parts final : protocol_events {
    parts(std::shared_ptr<const credentials> credentials, const connection_options& chosen, connection_owner* its_owner)
        : who(std::move(credentials)), options(chosen), hub(its_owner) {}

    void on_handshake_complete() noexcept override;
    void on_stream_bytes(std::span<const std::byte> bytes) noexcept override {
        if (!over() && to) to->on_bytes(bytes);
    }
    void on_stream_end() noexcept override {
        if (!over() && to) to->on_end();
    }
    void on_stream_reset(std::uint64_t code) noexcept override {
        if (over()) return;
        last_word = {0, true, "the stream was broken off"};
        end({cause::protocol_error, 0, "the peer broke the stream off with code " + std::to_string(code)});
    }
    void on_acknowledged(std::size_t bytes) noexcept override { queue.acknowledged(bytes); }
    void on_end_acknowledged() noexcept override {
        if (over()) return;
        last_word = {0, true, "finished"};
        end({cause::finished, 0, "all was delivered"});
    }
    bool on_own_id(const connection_id& id) noexcept override { return !hub || hub->on_own_id(id); }
    void on_own_id_retired(const connection_id& id) noexcept override {
        if (hub) hub->on_own_id_retired(id);
    }

    [[nodiscard]] bool over() const { return state == connection_state::closing || state == connection_state::closed; }
    /// Nothing more is delivered. If a last word or failure was set, write() sends it.
    void end(close_reason why) noexcept {
        state = connection_state::closing;
        reason = std::move(why);
        wants_write = true;
        if (to) to->on_closed();
    }
    void end_silently(close_reason why) noexcept {
        end(std::move(why));
        state = connection_state::closed;
    }
    void judge(std::uint64_t now, protocol::step step);
    std::size_t write_last(std::uint64_t now, std::span<std::byte> out);

    std::shared_ptr<const credentials> who;
    connection_options options;
    connection_owner* hub;
    std::unique_ptr<protocol> quic;
    receiver* to = nullptr;
    connection_state state = connection_state::handshaking;
    bool wants_write = true;
    close_reason reason;
    std::string peer_name;
    connection_statistics counted; ///< only what is counted here
    send_queue queue;
    bool finishing = false, end_sent = false;

    // Of the closing state.
    std::optional<protocol::close_seen> last_word; ///< to be sent
    std::optional<protocol::step> failure;         ///< to be sent, instead
    std::vector<std::byte> last_packet;            ///< was sent, and answers what still comes
    bool answer = false;
    std::uint64_t arrivals = 0;
    std::uint64_t closing_until = never;
};

void connection::parts::on_handshake_complete() noexcept {
    try {
        peer_name = who->peer_name(quic->tls());
    } catch (...) { // no memory: nobody comes in without a name
        peer_name.clear();
    }
    if (over()) return;
    if (peer_name.empty()) {
        last_word = {0, true, "no name"};
        end({cause::refused, 0, "the peer's certificate has no name"});
        return;
    }
    state = connection_state::open;
    if (hub) hub->on_open();
}

void connection::parts::judge(std::uint64_t now, protocol::step step) {
    using enum protocol::step;
    if (step == ok || over()) return;
    switch (step) {
    case ok:
        return;
    case drained:
        closing_until = now + quic->closing_period();
        end(explain(quic->peer_close(), *who));
        return;
    case dropped:
        end_silently({cause::protocol_error, 0, "the first packets begin no connection"});
        return;
    case idle:
        end_silently({cause::idle_timeout, 0, "nothing came from the peer for the idle timeout"});
        return;
    case wrong_version:
        end_silently({cause::refused, 0, "the hub does not speak QUIC version 1"});
        return;
    case handshake_timeout:
        failure = step;
        end({cause::handshake_timeout, 0,
             who->hub() ? "the member did not complete the handshake in time"
                        : "no answer from the hub, or none that completes the handshake"});
        return;
    case refused: {
        failure = step;
        const auto alert = quic->alert();
        end({cause::refused, 0,
             alert == no_application_protocol ? std::string("the peer does not speak ") + alpn
                                              : who->why_refused_here(quic->tls(), alert)});
        return;
    }
    case failed:
        failure = step;
        end({cause::protocol_error, 0, "QUIC: " + quic->error_text()});
        return;
    }
}

std::size_t connection::parts::write_last(std::uint64_t now, std::span<std::byte> out) {
    if (last_word || failure) {
        closing_until = now + quic->closing_period();
        const auto n = failure ? quic->write_failure(now, out, *failure) : quic->write_close(now, out, *last_word);
        failure.reset();
        last_word.reset();
        last_packet.assign(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(n));
        if (n == 0) state = connection_state::closed; // before the first packet, or a stranger at its limit
        return n;
    }
    if (!answer || last_packet.empty() || last_packet.size() > out.size()) return 0;
    answer = false;
    std::copy(last_packet.begin(), last_packet.end(), out.begin());
    return last_packet.size();
}

connection::connection(std::unique_ptr<parts> its) : parts_(std::move(its)) {}
connection::~connection() = default;

std::unique_ptr<connection> connection::connect(std::shared_ptr<const credentials> who,
                                                const connection_options& options, random_source random,
                                                std::uint64_t now) {
    options.check();
    auto p = std::make_unique<parts>(who, options, nullptr);
    p->quic = protocol::client(options, std::move(who), std::move(random), *p, now);
    return std::unique_ptr<connection>(new connection(std::move(p)));
}

std::unique_ptr<connection> connection::accept(connection_owner& hub, std::shared_ptr<const credentials> who,
                                               const connection_options& options, random_source random,
                                               const initial_packet& first,
                                               const std::optional<connection_id>& original, std::uint64_t now) {
    auto p = std::make_unique<parts>(who, options, &hub);
    p->quic = protocol::server(options, std::move(who), std::move(random), *p, first, original, now);
    return std::unique_ptr<connection>(new connection(std::move(p)));
}

void connection::read(std::uint64_t now, std::span<const std::byte> datagram) {
    auto& p = *parts_;
    if (datagram.empty() || p.state == connection_state::closed) return;
    ++p.counted.datagrams_in;
    p.counted.bytes_in += datagram.size();
    p.wants_write = true;
    if (p.state == connection_state::closing) {
        // Ever fewer answers, or two closed ends would keep each other busy.
        if (std::has_single_bit(++p.arrivals)) p.answer = true;
        return;
    }
    p.judge(now, p.quic->read(now, datagram));
}

written_datagrams connection::write(std::uint64_t now, std::span<std::byte> out) {
    auto& p = *parts_;
    written_datagrams result;
    while (!p.over()) {
        const auto usual = p.quic->datagram_size();
        const auto left = out.size() - result.bytes;
        const auto room = std::min(left, result.segment ? result.segment : p.options.max_udp_payload);
        if (room < std::min(usual, result.segment ? result.segment : usual)) break;
        std::array<std::span<const std::byte>, send_queue::most_pieces> pieces;
        const auto count = p.queue.front(pieces);
        const bool end = p.finishing && !p.end_sent && p.queue.empty() && p.quic->has_stream();
        const auto w = p.quic->write(now, out.subspan(result.bytes, room), std::span(pieces).first(count), end);
        p.judge(now, w.result);
        if (w.size == 0) {
            p.wants_write = p.over();
            break;
        }
        p.queue.sent(w.taken);
        p.end_sent |= w.end;
        result.bytes += w.size;
        ++p.counted.datagrams_out;
        if (result.segment == 0) result.segment = w.size;
        // A shorter one is the last of a train; a probe of the path is larger than those that follow.
        if (w.size != usual) break;
    }
    if (!p.over()) {
        if (result.bytes > 0) p.quic->end_of_turn(now);
    } else if (result.bytes == 0) {
        result.bytes = result.segment = p.write_last(now, out);
        if (result.bytes > 0) ++p.counted.datagrams_out;
        p.wants_write = false;
    }
    p.counted.bytes_out += result.bytes;
    return result;
}

std::uint64_t connection::expiry() const {
    const auto& p = *parts_;
    if (p.state == connection_state::closed) return never;
    return p.state == connection_state::closing ? p.closing_until : p.quic->expiry();
}

void connection::expire(std::uint64_t now) {
    auto& p = *parts_;
    if (p.state == connection_state::closed || now < expiry()) return;
    if (p.state == connection_state::closing) {
        p.state = connection_state::closed;
        return;
    }
    p.wants_write = true;
    p.judge(now, p.quic->expire(now));
}

bool connection::send(std::span<const std::byte> bytes) {
    auto& p = *parts_;
    if (p.over() || p.finishing) return false;
    p.queue.push(bytes);
    p.wants_write = true;
    return true;
}

void connection::consumed(std::size_t bytes) {
    if (parts_->over() || bytes == 0) return;
    parts_->quic->consumed(bytes);
    parts_->wants_write = true;
}

void connection::finish() {
    parts_->finishing = true;
    parts_->wants_write = true;
}

void connection::close(std::uint64_t code, std::string reason) {
    auto& p = *parts_;
    if (p.over()) return;
    p.last_word = {code, true, reason};
    p.end({cause::closed_here, code, std::move(reason)});
}

void connection::set_receiver(receiver* r) { parts_->to = r; }
bool connection::wants_write() const { return parts_->wants_write && parts_->state != connection_state::closed; }
std::size_t connection::unsent() const { return parts_->queue.unsent(); }
std::size_t connection::unacknowledged() const { return parts_->queue.unacknowledged(); }
connection_state connection::state() const { return parts_->state; }
const close_reason& connection::reason() const { return parts_->reason; }
const std::string& connection::peer_name() const { return parts_->peer_name; }

connection_statistics connection::statistics() const {
    auto s = parts_->counted;
    const auto q = parts_->quic->stats();
    s.lost_packets = q.lost_packets;
    s.smoothed_rtt = q.smoothed_rtt;
    s.least_rtt = q.least_rtt;
    s.congestion_window = q.congestion_window;
    s.bytes_in_flight = q.bytes_in_flight;
    return s;
}

} // namespace chimera::quic
