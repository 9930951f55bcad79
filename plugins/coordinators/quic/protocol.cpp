#include "quic/protocol.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include "quic/tls_session.hpp"

namespace chimera::quic {
namespace {

const std::uint8_t* octets(std::span<const std::byte> bytes) {
    return reinterpret_cast<const std::uint8_t*>(bytes.data());
}
std::uint8_t* octets(std::span<std::byte> bytes) { return reinterpret_cast<std::uint8_t*>(bytes.data()); }

// A length of bytes that ngtcp2 counts with sign; more than 2^63 there are not.
std::size_t size_of(ngtcp2_ssize n) { return n > 0 ? static_cast<std::size_t>(n) : 0; }

ngtcp2_cid to_cid(const connection_id& id) {
    ngtcp2_cid cid{};
    ngtcp2_cid_init(&cid, octets(id.span()), id.size);
    return cid;
}
connection_id from_cid(const ngtcp2_cid& cid) { return connection_id(std::as_bytes(std::span(cid.data, cid.datalen))); }
ngtcp2_cid new_cid(const random_source& random) {
    ngtcp2_cid cid{};
    cid.datalen = own_id_size;
    random(std::as_writable_bytes(std::span(cid.data, own_id_size)));
    return cid;
}

// A connection has one path for good (the listener drops what comes from elsewhere), so its ends need only be constant.
sockaddr_in placeholder(std::uint16_t port) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = port;
    return a;
}

std::string printable(std::string_view text) {
    std::string result(text.substr(0, 256));
    std::replace_if(
        result.begin(), result.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return result;
}

} // namespace

connection_id::connection_id(std::span<const std::byte> id) {
    size = static_cast<std::uint8_t>(std::min(id.size(), bytes.size()));
    std::copy_n(id.begin(), size, bytes.begin());
}

struct protocol::state {
    state(const connection_options& chosen, std::shared_ptr<const credentials> who, random_source source,
          protocol_events& reports)
        : session(std::move(who)), random(std::move(source)), events(reports), pacing(chosen.pacing) {
        reference.get_conn = [](ngtcp2_crypto_conn_ref* r) { return static_cast<state*>(r->user_data)->conn; };
        reference.user_data = this;
        gnutls_session_set_ptr(session.handle(), &reference);
        fill_callbacks();
        path.local = {reinterpret_cast<sockaddr*>(&here), sizeof here};
        path.remote = {reinterpret_cast<sockaddr*>(&there), sizeof there};
    }
    ~state() {
        if (conn) ngtcp2_conn_del(conn);
    }
    state(const state&) = delete;
    state& operator=(const state&) = delete;

    void begin(const connection_options& o, std::uint64_t now, ngtcp2_settings& settings,
               ngtcp2_transport_params& params);
    step judge(int result);
    std::size_t close(std::uint64_t now, std::span<std::byte> out, const ngtcp2_connection_close_error& why);

    tls_session session;
    random_source random;
    protocol_events& events;
    bool pacing;
    ngtcp2_crypto_conn_ref reference{};
    ngtcp2_callbacks callbacks{};
    sockaddr_in here = placeholder(1), there = placeholder(2);
    ngtcp2_path path{};
    ngtcp2_conn* conn = nullptr;
    std::int64_t stream = -1;      ///< -1: not there yet, or over
    bool stream_announced = false; ///< [client] a packet that opens it was sent
    int error = 0;                 ///< ngtcp2's code of the last failed step

  private:
    void fill_callbacks();
    static state& of(void* user_data) { return *static_cast<state*>(user_data); }
};

void protocol::state::fill_callbacks() {
    auto& c = callbacks;
    c.client_initial = ngtcp2_crypto_client_initial_cb;
    c.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
    c.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
    c.encrypt = ngtcp2_crypto_encrypt_cb;
    c.decrypt = ngtcp2_crypto_decrypt_cb;
    c.hp_mask = ngtcp2_crypto_hp_mask_cb;
    c.recv_retry = ngtcp2_crypto_recv_retry_cb;
    c.update_key = ngtcp2_crypto_update_key_cb;
    c.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
    c.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
    c.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
    c.rand = [](std::uint8_t* out, std::size_t size, const ngtcp2_rand_ctx* context) {
        static_cast<const state*>(context->native_handle)->random(std::as_writable_bytes(std::span(out, size)));
    };
    c.get_path_challenge_data = [](ngtcp2_conn*, std::uint8_t* out, void* self) {
        of(self).random(std::as_writable_bytes(std::span(out, NGTCP2_PATH_CHALLENGE_DATALEN)));
        return 0;
    };
    c.get_new_connection_id = [](ngtcp2_conn*, ngtcp2_cid* id, std::uint8_t* token, std::size_t size, void* self) {
        auto& s = of(self);
        id->datalen = size;
        s.random(std::as_writable_bytes(std::span(id->data, size)));
        s.random(std::as_writable_bytes(std::span(token, NGTCP2_STATELESS_RESET_TOKENLEN)));
        return s.events.on_own_id(from_cid(*id)) ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
    };
    c.remove_connection_id = [](ngtcp2_conn*, const ngtcp2_cid* id, void* self) {
        of(self).events.on_own_id_retired(from_cid(*id));
        return 0;
    };
    c.handshake_completed = [](ngtcp2_conn* connection, void* self) {
        auto& s = of(self);
        // The server's parameters are known, and it allows one stream: a server that does not is not ours.
        if (!ngtcp2_conn_is_server(connection) && ngtcp2_conn_open_bidi_stream(connection, &s.stream, nullptr) != 0)
            return NGTCP2_ERR_CALLBACK_FAILURE;
        s.events.on_handshake_complete();
        return 0;
    };
    c.stream_open = [](ngtcp2_conn*, std::int64_t id, void* self) {
        of(self).stream = id;
        return 0;
    };
    c.stream_close = [](ngtcp2_conn*, std::uint32_t, std::int64_t, std::uint64_t, void* self, void*) {
        of(self).stream = -1;
        return 0;
    };
    c.recv_stream_data = [](ngtcp2_conn*, std::uint32_t flags, std::int64_t, std::uint64_t, const std::uint8_t* data,
                            std::size_t size, void* self, void*) {
        if (size > 0) of(self).events.on_stream_bytes(std::as_bytes(std::span(data, size)));
        if (flags & NGTCP2_STREAM_DATA_FLAG_FIN) of(self).events.on_stream_end();
        return 0;
    };
    c.acked_stream_data_offset = [](ngtcp2_conn*, std::int64_t, std::uint64_t, std::uint64_t size, void* self, void*) {
        // The end is only sent alone, after everything before it was acknowledged: 0 bytes is the end.
        if (size > 0)
            of(self).events.on_acknowledged(size);
        else
            of(self).events.on_end_acknowledged();
        return 0;
    };
    c.stream_reset = [](ngtcp2_conn*, std::int64_t, std::uint64_t, std::uint64_t code, void* self, void*) {
        of(self).events.on_stream_reset(code);
        return 0;
    };
    c.stream_stop_sending = [](ngtcp2_conn*, std::int64_t, std::uint64_t code, void* self, void*) {
        of(self).events.on_stream_reset(code);
        return 0;
    };
}

void protocol::state::begin(const connection_options& o, std::uint64_t now, ngtcp2_settings& settings,
                            ngtcp2_transport_params& params) {
    ngtcp2_settings_default(&settings);
    settings.initial_ts = now;
    settings.initial_rtt = o.initial_rtt;
    settings.handshake_timeout = o.handshake_timeout;
    settings.cc_algo = o.congestion == congestion_control::reno ? NGTCP2_CC_ALGO_RENO : NGTCP2_CC_ALGO_CUBIC;
    settings.max_tx_udp_payload_size = o.max_udp_payload;
    settings.no_tx_udp_payload_size_shaping = o.probe_path ? 0 : 1;
    settings.no_pmtud = o.probe_path ? 0 : 1;
    settings.rand_ctx.native_handle = this;
    ngtcp2_transport_params_default(&params);
    params.max_udp_payload_size = o.max_udp_payload;
    params.initial_max_data = o.receive_window;
    params.initial_max_stream_data_bidi_local = o.receive_window;
    params.initial_max_stream_data_bidi_remote = o.receive_window;
    params.max_idle_timeout = o.idle_timeout;
    // A packet is acknowledged in the turn it came in. With the default (25 ms) a timer would do it under load.
    params.max_ack_delay = 0;
    params.disable_active_migration = 1;
}

std::unique_ptr<protocol> protocol::client(const connection_options& options, std::shared_ptr<const credentials> who,
                                           random_source random, protocol_events& events, std::uint64_t now) {
    auto s = std::make_unique<state>(options, std::move(who), std::move(random), events);
    ngtcp2_settings settings;
    ngtcp2_transport_params params;
    s->begin(options, now, settings, params);
    if (ngtcp2_crypto_gnutls_configure_client_session(s->session.handle()) != 0)
        throw std::runtime_error("TLS session: QUIC's extension could not be registered");
    const auto first_destination = new_cid(s->random);
    const auto source = new_cid(s->random);
    if (const int e = ngtcp2_conn_client_new(&s->conn, &first_destination, &source, &s->path, NGTCP2_PROTO_VER_V1,
                                             &s->callbacks, &settings, &params, nullptr, s.get());
        e != 0)
        throw std::runtime_error(std::string("QUIC connection: ") + ngtcp2_strerror(e));
    ngtcp2_conn_set_tls_native_handle(s->conn, s->session.handle());
    if (options.keep_alive) ngtcp2_conn_set_keep_alive_timeout(s->conn, options.keep_alive);
    return std::unique_ptr<protocol>(new protocol(std::move(s)));
}

std::unique_ptr<protocol> protocol::server(const connection_options& options, std::shared_ptr<const credentials> who,
                                           random_source random, protocol_events& events, const initial_packet& first,
                                           const std::optional<connection_id>& original, std::uint64_t now) {
    auto s = std::make_unique<state>(options, std::move(who), std::move(random), events);
    ngtcp2_settings settings;
    ngtcp2_transport_params params;
    s->begin(options, now, settings, params);
    params.initial_max_streams_bidi = 1;
    params.original_dcid = to_cid(original ? *original : first.destination);
    if (original) {
        params.retry_scid = to_cid(first.destination);
        params.retry_scid_present = 1;
        settings.token.base = const_cast<std::uint8_t*>(octets(first.token)); // it copies
        settings.token.len = first.token.size();
    }
    if (ngtcp2_crypto_gnutls_configure_server_session(s->session.handle()) != 0)
        throw std::runtime_error("TLS session: QUIC's extension could not be registered");
    const auto peer = to_cid(first.source);
    const auto own = new_cid(s->random);
    if (const int e = ngtcp2_conn_server_new(&s->conn, &peer, &own, &s->path, first.version, &s->callbacks, &settings,
                                             &params, nullptr, s.get());
        e != 0)
        throw std::runtime_error(std::string("QUIC connection: ") + ngtcp2_strerror(e));
    ngtcp2_conn_set_tls_native_handle(s->conn, s->session.handle());
    if (options.keep_alive) ngtcp2_conn_set_keep_alive_timeout(s->conn, options.keep_alive);
    if (!events.on_own_id(from_cid(own))) throw std::bad_alloc();
    return std::unique_ptr<protocol>(new protocol(std::move(s)));
}

protocol::protocol(std::unique_ptr<state> its) : state_(std::move(its)) {}
protocol::~protocol() = default;

protocol::step protocol::state::judge(int result) {
    if (result == 0) return step::ok;
    error = result;
    switch (result) {
    case NGTCP2_ERR_DRAINING:
    case NGTCP2_ERR_CLOSING:
        return step::drained;
    case NGTCP2_ERR_RETRY:
    case NGTCP2_ERR_DROP_CONN:
        return step::dropped;
    case NGTCP2_ERR_IDLE_CLOSE:
        return step::idle;
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
        return step::handshake_timeout;
    case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
        return step::wrong_version;
    case NGTCP2_ERR_CRYPTO:
        return step::refused;
    default:
        return step::failed;
    }
}

protocol::step protocol::read(std::uint64_t now, std::span<const std::byte> datagram) {
    const ngtcp2_pkt_info info{};
    return state_->judge(
        ngtcp2_conn_read_pkt(state_->conn, &state_->path, &info, octets(datagram), datagram.size(), now));
}

protocol::written protocol::write(std::uint64_t now, std::span<std::byte> out,
                                  std::span<const std::span<const std::byte>> data, bool end) {
    auto& s = *state_;
    std::array<ngtcp2_vec, 16> pieces;
    const auto count = std::min(data.size(), pieces.size());
    for (std::size_t i = 0; i < count; ++i)
        pieces[i] = {const_cast<std::uint8_t*>(octets(data[i])), data[i].size()}; // it only reads
    const bool announce = s.stream >= 0 && !s.stream_announced && !ngtcp2_conn_is_server(s.conn);
    bool with_stream = s.stream >= 0 && (count > 0 || end || announce);
    for (;;) {
        ngtcp2_pkt_info info{};
        ngtcp2_ssize taken = -1;
        const std::uint32_t flags = end ? NGTCP2_WRITE_STREAM_FLAG_FIN : NGTCP2_WRITE_STREAM_FLAG_NONE;
        const auto n =
            ngtcp2_conn_writev_stream(s.conn, nullptr, &info, octets(out), out.size(), &taken, with_stream ? flags : 0,
                                      with_stream ? s.stream : -1, pieces.data(), with_stream ? count : 0, now);
        if (n >= 0) {
            if (taken >= 0) s.stream_announced = true;
            return {step::ok, size_of(n), size_of(taken), end && taken >= 0};
        }
        const bool stream_cannot =
            n == NGTCP2_ERR_STREAM_DATA_BLOCKED || n == NGTCP2_ERR_STREAM_SHUT_WR || n == NGTCP2_ERR_STREAM_NOT_FOUND;
        if (!stream_cannot || !with_stream) return {s.judge(static_cast<int>(n)), 0, 0, false};
        with_stream = false; // acknowledgements and window updates may still go
    }
}

void protocol::end_of_turn(std::uint64_t now) {
    if (state_->pacing) ngtcp2_conn_update_pkt_tx_time(state_->conn, now);
}

std::size_t protocol::state::close(std::uint64_t now, std::span<std::byte> out,
                                   const ngtcp2_connection_close_error& why) {
    ngtcp2_pkt_info info{};
    return size_of(ngtcp2_conn_write_connection_close(conn, nullptr, &info, octets(out), out.size(), &why, now));
}

std::size_t protocol::write_close(std::uint64_t now, std::span<std::byte> out, const close_seen& why) {
    ngtcp2_connection_close_error e;
    const auto* reason = reinterpret_cast<const std::uint8_t*>(why.reason.data());
    const auto size = std::min<std::size_t>(why.reason.size(), 256);
    if (why.application)
        ngtcp2_connection_close_error_set_application_error(&e, why.code, reason, size);
    else
        ngtcp2_connection_close_error_set_transport_error(&e, why.code, reason, size);
    return state_->close(now, out, e);
}

std::size_t protocol::write_failure(std::uint64_t now, std::span<std::byte> out, step why) {
    ngtcp2_connection_close_error e;
    // A refused stranger learns the alert and no more.
    if (why == step::refused)
        ngtcp2_connection_close_error_set_transport_error_tls_alert(&e, ngtcp2_conn_get_tls_alert(state_->conn),
                                                                    nullptr, 0);
    else
        ngtcp2_connection_close_error_set_transport_error_liberr(&e, state_->error, nullptr, 0);
    return state_->close(now, out, e);
}

std::uint64_t protocol::expiry() const { return ngtcp2_conn_get_expiry(state_->conn); }

protocol::step protocol::expire(std::uint64_t now) {
    return state_->judge(ngtcp2_conn_handle_expiry(state_->conn, now));
}

void protocol::consumed(std::size_t bytes) {
    auto& s = *state_;
    if (s.stream >= 0) ngtcp2_conn_extend_max_stream_offset(s.conn, s.stream, bytes);
    ngtcp2_conn_extend_max_offset(s.conn, bytes);
}

std::size_t protocol::datagram_size() const { return ngtcp2_conn_get_path_max_tx_udp_payload_size(state_->conn); }

std::uint64_t protocol::closing_period() const { return 3 * ngtcp2_conn_get_pto(state_->conn); }

protocol::close_seen protocol::peer_close() const {
    ngtcp2_connection_close_error e;
    ngtcp2_conn_get_connection_close_error(state_->conn, &e);
    return {e.error_code, e.type == NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION,
            printable({reinterpret_cast<const char*>(e.reason), e.reasonlen})};
}

unsigned protocol::alert() const { return ngtcp2_conn_get_tls_alert(state_->conn); }

std::string protocol::error_text() const { return ngtcp2_strerror(state_->error); }

protocol::statistics protocol::stats() const {
    ngtcp2_conn_stat s;
    ngtcp2_conn_get_conn_stat(state_->conn, &s);
    const auto lost = state_->stream < 0 ? 0 : ngtcp2_conn_get_stream_loss_count(state_->conn, state_->stream);
    return {s.smoothed_rtt, s.min_rtt, s.cwnd, s.bytes_in_flight, lost};
}

tls_session& protocol::tls() { return state_->session; }

bool protocol::has_stream() const { return state_->stream >= 0; }

envelope open_envelope(std::span<const std::byte> datagram) {
    ngtcp2_version_cid v{};
    if (datagram.empty()) return {};
    const int e = ngtcp2_pkt_decode_version_cid(&v, octets(datagram), datagram.size(), own_id_size);
    if (e != 0 && e != NGTCP2_ERR_VERSION_NEGOTIATION) return {};
    envelope result;
    result.version = v.version;
    result.destination = std::as_bytes(std::span(v.dcid, v.dcidlen));
    result.source = std::as_bytes(std::span(v.scid, v.scidlen));
    const bool long_header = (datagram[0] & std::byte{0x80}) != std::byte{0};
    // ngtcp2 would also speak the drafts of version 1. A small packet is not answered: it may be forged.
    if (e != 0 || (long_header && v.version != 0 && v.version != NGTCP2_PROTO_VER_V1))
        result.what = datagram.size() >= NGTCP2_MAX_UDP_PAYLOAD_SIZE ? envelope::kind::unknown_version
                                                                     : envelope::kind::malformed;
    else
        result.what = long_header ? envelope::kind::long_header : envelope::kind::short_header;
    return result;
}

std::optional<initial_packet> read_initial(std::span<const std::byte> datagram) {
    ngtcp2_pkt_hd h;
    if (ngtcp2_accept(&h, octets(datagram), datagram.size()) != 0) return std::nullopt;
    return initial_packet{h.version, from_cid(h.dcid), from_cid(h.scid),
                          std::as_bytes(std::span(h.token.base, h.token.len))};
}

std::size_t write_version_negotiation(std::span<std::byte> out, const envelope& to, std::byte random) {
    const std::array<std::uint32_t, 1> versions{NGTCP2_PROTO_VER_V1};
    return size_of(ngtcp2_pkt_write_version_negotiation(octets(out), out.size(), std::to_integer<std::uint8_t>(random),
                                                        octets(to.source), to.source.size(), octets(to.destination),
                                                        to.destination.size(), versions.data(), versions.size()));
}

std::size_t write_retry(std::span<std::byte> out, const initial_packet& to, std::span<const std::byte> address,
                        std::span<const std::byte> key, const connection_id& new_id, std::uint64_t now) {
    // The token binds the bytes behind this pointer; they need not be a socket's address.
    const auto* bound = reinterpret_cast<const ngtcp2_sockaddr*>(address.data());
    const auto destination = to_cid(to.source), source = to_cid(new_id), original = to_cid(to.destination);
    std::array<std::uint8_t, NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN> token;
    const auto size =
        ngtcp2_crypto_generate_retry_token(token.data(), octets(key), key.size(), to.version, bound,
                                           static_cast<ngtcp2_socklen>(address.size()), &source, &original, now);
    if (size <= 0) return 0;
    return size_of(ngtcp2_crypto_write_retry(octets(out), out.size(), to.version, &destination, &source, &original,
                                             token.data(), size_of(size)));
}

std::optional<connection_id> verify_retry_token(const initial_packet& packet, std::span<const std::byte> address,
                                                std::span<const std::byte> key, std::uint64_t lifetime,
                                                std::uint64_t now) {
    const auto* bound = reinterpret_cast<const ngtcp2_sockaddr*>(address.data());
    const auto destination = to_cid(packet.destination);
    ngtcp2_cid original{};
    if (ngtcp2_crypto_verify_retry_token(&original, octets(packet.token), packet.token.size(), octets(key), key.size(),
                                         packet.version, bound, static_cast<ngtcp2_socklen>(address.size()),
                                         &destination, lifetime, now) != 0)
        return std::nullopt;
    return from_cid(original);
}

std::size_t write_refusal(std::span<std::byte> out, const initial_packet& to, std::string_view reason) {
    const auto destination = to_cid(to.source), source = to_cid(to.destination);
    return size_of(ngtcp2_crypto_write_connection_close(
        octets(out), out.size(), to.version, &destination, &source, NGTCP2_CONNECTION_REFUSED,
        reinterpret_cast<const std::uint8_t*>(reason.data()), reason.size()));
}

} // namespace chimera::quic
