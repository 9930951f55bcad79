// The other ways to a server: what a transport offers beside the one that its cases run over.
#include <atomic>

#include "../case.hpp"
#include "../kit/client.hpp"
#include "../scripted_server/scripted_server.hpp"

namespace chimera::conformance {

namespace {

/// Two exchanges over one connection, the second in pieces, then a body that breaks off, and one that works.
void exchanges(environment& env, wire over, const char* scheme) {
    if (!env.offers().has(over)) throw skipped(std::string("it offers no ") + scheme);
    if (env.servers().over == over) throw skipped("every case is tried over it");
    std::atomic<unsigned> n{0};
    scripted_server server(
        [&](peer& p) {
            while (p.request()) {
                const unsigned which = n++;
                if (which == 1) {
                    p.send("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello");
                    sleep_ms(5);
                    p.send(" world");
                } else if (which == 2) {
                    p.send("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello");
                    return;
                } else {
                    p.send("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world");
                }
            }
        },
        env.servers(over));
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        for (unsigned i = 0; i < 4; ++i) {
            if (i == 2) {
                auto failing = client::fetch_failing(s, {}, CHM_E_CLOSED, server.url());
                co_await failing;
                continue;
            }
            auto fetching = client::fetch(s, {"POST", "/", {}, "a question"});
            const reply r = co_await fetching;
            expect_equal(r.body, "hello world", "the body of exchange " + std::to_string(i));
        }
    };
    c.run(body());
    if (!env.servers().http2)
        expect_equal(server.connections(), 2U, "the number of connections: one, and one after the failure");
}

void unix_socket(environment& env) { exchanges(env, wire::unix_socket, "http+unix"); }
void tls(environment& env) { exchanges(env, wire::tls, "https"); }

constexpr test_case cases[] = {
    {"scheme.unix", kind::transport, "A server on a Unix socket works like any other", unix_socket},
    {"scheme.tls", kind::transport, "A server behind TLS works like any other", tls},
};

} // namespace

std::span<const test_case> scheme_cases() { return cases; }

} // namespace chimera::conformance
