#include "quic/listener.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "quic/connection_owner.hpp"

namespace chimera::quic {
namespace {

constexpr std::size_t most_answers = 256; // to strangers, waiting for one write()

} // namespace

void acceptor::on_refused(const address&, const close_reason&) noexcept {}

void listener_options::check() const {
    connection.check();
    if (max_connections == 0) throw std::invalid_argument("max_connections: 0 would let nobody in");
    if (max_handshakes == 0) throw std::invalid_argument("max_handshakes: 0 would let nobody in");
}

/// One connection and how datagrams find it.
class listener::entry final : public connection_owner {
  public:
    entry(listener& l, const address& peer) : of(l), from(peer) {}
    ~entry() {
        for (const auto& id : ids) of.routes_.erase(id);
    }
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;

    void on_open() noexcept override {
        ++of.counted_.accepted;
        handed_over = true;
        auto* receiver = of.acceptor_.on_connection(*link, from);
        link->set_receiver(receiver);
        if (!receiver) link->close(0, "not wanted");
    }
    bool on_own_id(const connection_id& id) noexcept override {
        try {
            // An id that is taken (one in 2^64) stays with its connection.
            if (of.routes_.try_emplace(id, this).second) ids.push_back(id);
            return true;
        } catch (...) {
            return false;
        }
    }
    void on_own_id_retired(const connection_id& id) noexcept override {
        if (std::erase(ids, id) > 0) of.routes_.erase(id);
    }

    listener& of;
    address from;
    std::vector<connection_id> ids;
    std::unique_ptr<connection> link;
    bool in_handshake = true; ///< counted in handshakes_
    bool handed_over = false;
};

listener::listener(std::shared_ptr<const credentials> who, const listener_options& options, random_source random,
                   acceptor& accepts, std::size_t most_segments)
    : who_(std::move(who)), options_(options), random_(std::move(random)), acceptor_(accepts) {
    options_.check();
    if (!who_->hub()) throw std::invalid_argument("a member's credentials do not make a hub");
    if (most_segments == 0) throw std::invalid_argument("most_segments: 0");
    std::array<std::byte, 32> key;
    random_(key);
    retry_key_ = secret(key);
    buffer_.resize(options_.connection.max_udp_payload * most_segments);
}

listener::~listener() { entries_.clear(); }

void listener::drop(std::uint64_t& reason) {
    ++counted_.dropped;
    ++reason;
}

connection_id listener::new_id() {
    std::array<std::byte, own_id_size> bytes;
    random_(bytes);
    return connection_id(bytes);
}

void listener::read(std::uint64_t now, const address& from, std::span<const std::byte> datagram) {
    ++counted_.datagrams_in;
    counted_.bytes_in += datagram.size();
    const auto outside = open_envelope(datagram);
    if (outside.what == envelope::kind::malformed) return drop(counted_.malformed);
    if (outside.what != envelope::kind::unknown_version && outside.destination.size() <= connection_id().bytes.size()) {
        if (const auto at = routes_.find(connection_id(outside.destination)); at != routes_.end()) {
            auto& e = *at->second;
            if (e.from != from) return drop(counted_.wrong_address);
            e.link->read(now, datagram);
            return settle(e);
        }
    }
    read_stranger(now, from, outside, datagram);
}

void listener::read_stranger(std::uint64_t now, const address& from, const envelope& outside,
                             std::span<const std::byte> datagram) {
    if (outside.what == envelope::kind::unknown_version) {
        std::array<std::byte, 1> random;
        random_(random);
        return answer_stranger(from, counted_.version_negotiations, [&](std::span<std::byte> out) {
            return write_version_negotiation(out, outside, random[0]);
        });
    }
    // No stateless reset for what has no connection: whoever sent it may have forged the address.
    const auto first = read_initial(datagram);
    if (!first) return drop(counted_.unknown);
    std::optional<connection_id> original;
    if (!first->token.empty()) {
        original = verify_retry_token(*first, from.span(), retry_key_.bytes(), options_.retry_token_lifetime, now);
        if (!original) return drop(counted_.bad_token);
    } else if (handshakes_ >= options_.retry_from) {
        return answer_stranger(from, counted_.retries, [&](std::span<std::byte> out) {
            return write_retry(out, *first, from.span(), retry_key_.bytes(), new_id(), now);
        });
    }
    if (entries_.size() >= options_.max_connections)
        return answer_stranger(from, counted_.refused_for_room, [&](std::span<std::byte> out) {
            return write_refusal(out, *first, "too many connections");
        });
    if (handshakes_ >= options_.max_handshakes) return drop(counted_.over_handshakes);
    begin(now, from, *first, original, datagram);
}

void listener::begin(std::uint64_t now, const address& from, const initial_packet& first,
                     const std::optional<connection_id>& original, std::span<const std::byte> datagram) {
    auto made = std::make_unique<entry>(*this, from);
    auto& e = *made;
    // One source for all: copies of a seeded one would give two connections the same ids.
    const auto random = [this](std::span<std::byte> out) { random_(out); };
    e.link = connection::accept(e, who_, options_.connection, random, first, original, now);
    // The client uses the id it chose (or was given by Retry) until it has our answer.
    e.on_own_id(first.destination);
    entries_.push_back(std::move(made));
    ++handshakes_;
    e.link->read(now, datagram);
    settle(e);
}

template <class Write>
void listener::answer_stranger(const address& to, std::uint64_t& counter, Write&& write) {
    if (answers_.size() >= most_answers) return drop(counted_.unanswered);
    std::array<std::byte, 1200> packet; // never more than the packet it answers
    const auto size = write(std::span<std::byte>(packet));
    if (size == 0) return drop(counted_.unanswered);
    answers_.push_back({to, {packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size)}});
    ++counter;
}

void listener::settle(entry& e) {
    if (!e.in_handshake || e.link->state() == connection_state::handshaking) return;
    e.in_handshake = false;
    --handshakes_;
    if (e.handed_over) return;
    ++counted_.refused;
    acceptor_.on_refused(e.from, e.link->reason());
}

void listener::sweep() {
    entries_.remove_if([this](const std::unique_ptr<entry>& e) {
        if (e->link->state() != connection_state::closed) return false;
        settle(*e);
        if (e->handed_over) acceptor_.on_removed(*e->link);
        return true;
    });
}

void listener::write(std::uint64_t now, datagram_sink& to) {
    const auto count = [this](std::size_t datagrams, std::size_t bytes) {
        counted_.datagrams_out += datagrams;
        counted_.bytes_out += bytes;
    };
    bool more = true;
    std::size_t answered = 0;
    for (; more && answered < answers_.size(); ++answered) {
        const auto& a = answers_[answered];
        count(1, a.bytes.size());
        more = to.send(a.to, a.bytes, a.bytes.size());
    }
    answers_.erase(answers_.begin(), answers_.begin() + static_cast<std::ptrdiff_t>(answered));
    for (auto at = entries_.begin(); at != entries_.end(); ++at) {
        auto& e = *at;
        while (more && e->link->wants_write()) {
            const auto w = e->link->write(now, buffer_);
            settle(*e);
            if (w.bytes == 0) break;
            count(w.count(), w.bytes);
            more = to.send(e->from, std::span(buffer_).first(w.bytes), w.segment);
        }
        if (more) continue;
        // The sink's next turn begins with those that had none.
        entries_.splice(entries_.end(), entries_, entries_.begin(), std::next(at));
        break;
    }
    sweep();
}

std::uint64_t listener::expiry() const {
    auto first = std::numeric_limits<std::uint64_t>::max();
    for (const auto& e : entries_) first = std::min(first, e->link->expiry());
    return first;
}

void listener::expire(std::uint64_t now) {
    for (auto& e : entries_) {
        e->link->expire(now);
        settle(*e);
    }
    sweep();
}

bool listener::wants_write() const {
    return !answers_.empty() ||
           std::any_of(entries_.begin(), entries_.end(), [](const auto& e) { return e->link->wants_write(); });
}

void listener::close(std::uint64_t code, const std::string& reason) {
    for (auto& e : entries_) {
        e->link->close(code, reason);
        settle(*e);
    }
}

} // namespace chimera::quic
