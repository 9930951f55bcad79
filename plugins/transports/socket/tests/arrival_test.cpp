// When bytes are said to have arrived: the kernel's receive time, whenever the task came to read them.
#include <doctest/doctest.h>

#include <atomic>

#include "chimera/sdk/clock.hpp"
#include "client.hpp"
#include "counted_calls.hpp"
#include "stream_socket/exchange_clocks.hpp"
#include "stream_socket/testing/kernel_stamps.hpp"

using namespace chimera;
using namespace chimera::socket::test;

namespace {

constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t preempted = 15 * ms; // what a busy machine may put between two neighbouring lines

/// A server whose records the test itself sends, so that it knows when.
class record_server {
  public:
    explicit record_server(bool ipv6) : ipv6_(ipv6) {}
    std::string url() const { return server_.url(); }
    /// [after the head] Hands the next record of 40 bytes to the kernel and returns when.
    std::uint64_t send_one() {
        const std::uint64_t now = sdk::now_ns();
        peer_.load()->send(std::string(40, 'x'));
        return now;
    }

  private:
    const bool ipv6_;
    std::atomic<peer*> peer_{nullptr};
    one_by_one_server server_{[this](peer& p) {
                                  p.request_text();
                                  peer_ = &p;
                                  p.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
                                  p.rest();
                              },
                              ipv6_};
};

/// An exchange whose head was read, and which waits for its body.
chm_exchange* begin(client& c, const std::string& url) {
    REQUIRE(c.open(url) == CHM_OK);
    chm_exchange* x = c.start();
    chm_head head{};
    chm_str view{};
    REQUIRE(c.wait_head(x, head) == CHM_READY);
    REQUIRE(c.poll_chunk(x, view) == CHM_PENDING);
    return x;
}

std::uint64_t readable_ns(client& c, chm_exchange* x) {
    chm_exchange_timing t{};
    t.size = sizeof t;
    static_cast<const chm_timing_ext*>(c.transport()->vt->get_extension(c.transport(), CHM_EXT_TIMING))->read(x, &t);
    return t.readable_ns;
}

/// Polls until something was received, and returns what the last poll said. The one before it was pending.
chm_rc poll_until_received(client& c, chm_exchange* x, chm_str& view) {
    const std::uint64_t before = calls().receives;
    chm_rc rc = CHM_PENDING;
    while (rc == CHM_PENDING && calls().receives == before) {
        c.wait();
        rc = c.poll_chunk(x, view);
    }
    return rc;
}

std::uint64_t realtime_ns() {
    timespec t{};
    clock_gettime(CLOCK_REALTIME, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1000 * ms + static_cast<std::uint64_t>(t.tv_nsec);
}

} // namespace

TEST_CASE("a piece that nobody reads for 50 ms arrived when it was sent") {
    for (const bool ipv6 : {false, true}) {
        CAPTURE(ipv6);
        const stream_socket::testing::kernel_stamps stamps;
        record_server server(ipv6);
        client c;
        chm_exchange* x = begin(c, server.url());
        chm_str view{};
        std::uint64_t last = 0;
        for (int i = 0; i < 5; ++i) {
            const std::uint64_t sent = server.send_one();
            pause_ms(50);
            REQUIRE(c.wait_chunk(x, view) == CHM_READY);
            const std::uint64_t delivered = sdk::now_ns();
            const std::uint64_t readable = readable_ns(c, x);
            CHECK(readable + ms > sent);
            CHECK(readable < sent + preempted);
            CHECK(delivered >= readable + 50 * ms - preempted);
            CHECK(readable > last);
            last = readable;
        }
        x->vt->close(x);
    }
}

TEST_CASE("a head's arrival is told before any piece has come") {
    const stream_socket::testing::kernel_stamps stamps;
    record_server server(false);
    client c;
    const std::uint64_t before = sdk::now_ns();
    chm_exchange* x = begin(c, server.url());
    CHECK(readable_ns(c, x) > before);
    CHECK(readable_ns(c, x) < sdk::now_ns());
    x->vt->close(x);
}

TEST_CASE("fill: a piece arrived when the oldest of its bytes did") {
    const stream_socket::testing::kernel_stamps stamps;
    record_server server(false);
    client c({{"delivery", "fill"}, {"read_size", "64"}});
    chm_exchange* x = begin(c, server.url());
    chm_str view{};
    const std::uint64_t first = server.send_one();
    REQUIRE(poll_until_received(c, x, view) == CHM_PENDING); // 40 of 64 bytes
    pause_ms(50);
    const std::uint64_t second = server.send_one();
    REQUIRE(poll_until_received(c, x, view) == CHM_READY);
    CHECK(readable_ns(c, x) + ms > first);
    CHECK(readable_ns(c, x) < first + preempted);
    REQUIRE(c.poll_chunk(x, view) == CHM_PENDING);
    pause_ms(50);
    server.send_one();
    REQUIRE(poll_until_received(c, x, view) == CHM_PENDING); // 16 of the second record and 40
    pause_ms(50);
    server.send_one();
    REQUIRE(poll_until_received(c, x, view) == CHM_READY);
    CHECK(readable_ns(c, x) + ms > second);
    CHECK(readable_ns(c, x) < second + preempted);
    x->vt->close(x);
}

TEST_CASE("without kernel_timestamps nobody says when a piece arrived") {
    record_server server(false);
    client c({{"kernel_timestamps", "false"}});
    chm_exchange* x = begin(c, server.url());
    server.send_one();
    chm_str view{};
    REQUIRE(c.wait_chunk(x, view) == CHM_READY);
    CHECK(readable_ns(c, x) == 0);
    x->vt->close(x);
}

TEST_CASE("an arrival lies between the request and now, and never before the one before it") {
    stream_socket::arrival_clock clock;
    clock.begin();
    CHECK(clock.monotonic(0, 0, sdk::now_ns()) == 0);
    const std::uint64_t stamp = realtime_ns();
    const std::uint64_t taken = sdk::now_ns();
    const std::uint64_t arrival = clock.monotonic(stamp, 0, taken);
    CHECK(arrival <= taken);
    CHECK(arrival + preempted > taken);
    CHECK(clock.monotonic(stamp - 1000 * ms, 0, taken) == arrival);
    CHECK(clock.monotonic(stamp - 1000 * ms, arrival + 1, taken + 1) == arrival + 1);
    CHECK(clock.monotonic(stamp + 1000 * ms, 0, taken + 2) == taken + 2);
    clock.begin();
    CHECK(clock.monotonic(stamp - 10000 * ms, 0, taken) < taken - 8'000 * ms);
}

TEST_CASE("after somebody has set the time, arrivals are right again a second later") {
    stream_socket::arrival_clock clock;
    clock.begin();
    const std::uint64_t before = clock.monotonic(realtime_ns(), 0, sdk::now_ns());
    const shifted_realtime an_hour_ago(-3600);
    const std::uint64_t stamp = realtime_ns();
    const std::uint64_t taken = sdk::now_ns();
    CHECK(clock.monotonic(stamp, 0, taken) == before);
    CHECK(clock.monotonic(stamp, 0, taken + 1001 * ms) + preempted > taken);
}
