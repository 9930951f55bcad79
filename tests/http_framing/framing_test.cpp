// Every response of cases/ on both transports, whole, in single bytes and cut at random: the outcome that the case
// says, and the same one whatever the cuts.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "conformance/kit/census.hpp"
#include "framing_case.hpp"
#include "played_response.hpp"

using namespace chimera::http_framing;

namespace {

const std::vector<framing_case>& all_cases() {
    static const std::vector<framing_case> cases = read_cases(CHIMERA_FRAMING_CASES);
    return cases;
}

std::vector<std::size_t> random_cuts(std::string_view bytes, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<std::size_t> cuts;
    for (std::size_t at = 1 + random() % 40; at < bytes.size(); at += 1 + random() % 40) cuts.push_back(at);
    return cuts;
}

/// The outcome on a fresh session, and the proof that the session is as good as new behind it.
outcome play_alone(const transport_plugin& plugin, stepped_server& server, const framing_case& c,
                   std::vector<std::size_t> cuts) {
    transport_client client(plugin, server.url());
    const outcome seen = play(client, server,
                              {.bytes = c.bytes,
                               .cuts = std::move(cuts),
                               .end = c.closes ? ending::close : ending::open,
                               .head_request = c.head_request});
    CHECK(afterwards(client, server) == "");
    return seen;
}

void check_every_case(const std::string& plugin_name) {
    chimera::conformance::start_first_thread();
    const transport_plugin plugin(CHIMERA_PLUGIN_DIR "/" + plugin_name + ".so");
    const auto held = chimera::conformance::census::take();
    {
        stepped_server server;
        std::uint32_t seed = 0;
        for (const framing_case& c : all_cases()) {
            CAPTURE(c.name);
            const outcome whole = play_alone(plugin, server, c, {});
            const outcome in_bytes = play_alone(plugin, server, c, every_byte(c.bytes));
            const outcome cut = play_alone(plugin, server, c, random_cuts(c.bytes, ++seed));
            CHECK(c.difference(whole, plugin_name) == "");
            CHECK(c.difference(in_bytes, plugin_name) == "");
            CHECK(c.difference(cut, plugin_name) == "");
            CHECK(in_bytes.message == whole.message);
            CHECK(cut.message == whole.message);
            CHECK(in_bytes.headers == whole.headers);
        }
    }
    CHECK(held.left_over_after(std::chrono::seconds(5)) == "");
}

} // namespace

TEST_CASE("socket: each response has its outcome, however it is cut") { check_every_case("socket"); }

TEST_CASE("curl: each response has its outcome, however it is cut") { check_every_case("curl"); }

TEST_CASE("a case differs between transports only for a plugin that there is") {
    for (const framing_case& c : all_cases())
        for (const auto& [plugin, expected] : c.on) {
            CAPTURE(c.name);
            CHECK((plugin == "socket" || plugin == "curl"));
        }
}

TEST_CASE("escapes of a case") {
    CHECK(unescaped("a\\r\\n\\t\\0\\\\\\\"\\x7f") == std::string("a\r\n\t\0\\\"\x7f", 8));
    CHECK(unescaped("\\{ab\\n*3}c") == "ab\nab\nab\nc");
    CHECK_THROWS(unescaped("\\q"));
    CHECK_THROWS(unescaped("\\"));
    CHECK_THROWS(unescaped("\\x1"));
    CHECK_THROWS(unescaped("\\{a}"));
}
