// A hub and members on a network that loses, doubles, delays and reorders, with a clock that costs no time.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "quic/connection.hpp"
#include "quic/listener.hpp"

namespace chimera::quic::test {

inline constexpr std::uint64_t ms = 1'000'000;

std::vector<std::byte> bytes_of(std::string_view text);
/// n bytes that are different at every place: byte i depends on i and seed alone.
std::vector<std::byte> pattern(std::size_t n, std::uint64_t seed);
address address_of(std::uint8_t number);

/// Random bytes from a seed.
random_source seeded(std::uint64_t seed);

std::shared_ptr<const credentials> hub_with_keys(const std::vector<std::string>& names);
/// key: the text the key is made of; the hub's is the name.
std::shared_ptr<const credentials> member_with_key(const std::string& name, const std::string& key);

/// What one end has got. Takes bytes at once, unless told to hold.
class collector final : public receiver {
  public:
    connection* of = nullptr;
    std::vector<std::byte> got;
    bool hold = false; ///< does not say consumed()
    bool echo = false;
    bool ended = false;
    int closed = 0;

    void on_bytes(std::span<const std::byte> bytes) noexcept override;
    void on_end() noexcept override { ended = true; }
    void on_closed() noexcept override { ++closed; }
    [[nodiscard]] std::string text() const { return {reinterpret_cast<const char*>(got.data()), got.size()}; }
};

struct conditions {
    double loss = 0, doubled = 0, corrupted = 0;
    std::uint64_t delay = ms / 10, jitter = 0; ///< ns; jitter reorders
};

class world final : public acceptor {
  public:
    world(std::uint64_t seed, std::shared_ptr<const credentials> hub, const listener_options& options = {},
          std::size_t segments = 1);

    struct member {
        std::unique_ptr<connection> link;
        collector got;
        address at;
    };
    /// A member that begins to connect now. It stays until the world ends.
    member& join(std::shared_ptr<const credentials> who, const connection_options& options = {});
    /// The hub's end of the member of this name; nullptr: not there (any more).
    connection* at_hub(const std::string& name);
    collector& hub_got(const std::string& name) { return hub_got_[name]; }

    /// Runs until done() or the clock reaches now() + limit. Returns done().
    template <class Done>
    bool run(Done&& done, std::uint64_t limit = 60'000 * ms) {
        const auto end = now_ + limit;
        flush();
        while (!done()) {
            if (!step(end)) return done();
        }
        return true;
    }
    void run_for(std::uint64_t time) {
        run([] { return false; }, time);
    }
    /// As if it came from the network.
    void inject(const address& from, std::span<const std::byte> datagram);

    [[nodiscard]] std::uint64_t now() const { return now_; }
    /// Of every datagram sent (time, direction, size) and every event of the receivers.
    [[nodiscard]] std::uint64_t trace() const { return trace_; }
    void note(std::uint64_t value);

    conditions network;
    listener hub;
    std::vector<std::pair<address, close_reason>> refused;
    std::vector<std::vector<std::byte>> to_hub; ///< every datagram members have sent, if kept
    bool keep = false;
    std::size_t removed = 0, accepted = 0;
    bool welcome = true;                ///< whether new connections are taken
    std::uint64_t biggest = 0;          ///< datagram
    std::uint64_t largest = UINT64_MAX; ///< datagram that passes

    receiver* on_connection(connection& c, const address& from) noexcept override;
    void on_refused(const address& from, const close_reason& why) noexcept override { refused.emplace_back(from, why); }
    void on_removed(connection& c) noexcept override;

  private:
    struct packet {
        bool to_hub;
        address peer;
        std::vector<std::byte> bytes;
    };
    void post(bool to_hub, const address& peer, std::span<const std::byte> datagrams, std::size_t segment);
    void post_one(bool to_hub, const address& peer, std::span<const std::byte> datagram);
    bool step(std::uint64_t end);
    void flush();
    double chance() { return static_cast<double>(rng_() >> 11) * 0x1p-53; }

    std::mt19937_64 rng_;
    std::uint64_t seed_;
    std::uint64_t now_ = 1'000'000'000;
    std::uint64_t trace_ = 14695981039346656037U;
    std::size_t segments_;
    std::multimap<std::uint64_t, packet> under_way_;
    std::vector<std::unique_ptr<member>> members_;
    std::map<std::string, connection*> at_hub_;
    std::map<std::string, collector> hub_got_;
};

} // namespace chimera::quic::test
