// What an exchange says of a server that breaks HTTP/2: its own reason, and always one.
#include "frame_server.hpp"
#include "running.hpp"

using namespace chimera;
using namespace chimera::h2::test;

namespace {

bool says(const outcome& o, std::string_view words) { return o.error.find(words) != std::string::npos; }

/// A field that HPACK's tables do not have; short name and value.
std::string literal(std::string_view name, std::string_view value) {
    std::string field(1, '\0');
    field += static_cast<char>(name.size());
    field += name;
    field += static_cast<char>(value.size());
    field += value;
    return field;
}

} // namespace

TEST_CASE("a complaint about one response is not told of another one") {
    const leak_check leaks;
    for (const place& p : places()) {
        if (!p.shared()) continue;
        CAPTURE(p.executor);
        const frame_server server([](peer& at, int) {
            at.greet();
            const std::uint32_t bad = at.request(), refused = at.request();
            at.send(framed(HEADERS, END_HEADERS, bad, "\x88" + literal("content-length", "many")));
            at.reset(refused, REFUSED_STREAM);
            at.reset(at.request(), REFUSED_STREAM); // it is sent once more
            at.wait_for_close();
        });
        const std::deque<outcome> o = fetch_all(p, server.url(), 2);
        const std::size_t bad = o[0].rc == CHM_E_PROTO ? 0 : 1;
        CAPTURE(o[bad].error);
        CAPTURE(o[1 - bad].error);
        CHECK(o[bad].rc == CHM_E_PROTO);
        CHECK(says(o[bad], "Invalid HTTP header field"));
        CHECK(o[1 - bad].rc == CHM_E_IO);
        CHECK(says(o[1 - bad], "the server refused the stream"));
        CHECK(!says(o[1 - bad], "Invalid HTTP header field"));
    }
}

TEST_CASE("a connection that breaks HTTP/2: a reason follows, which is not the server's goodbye") {
    const leak_check leaks;
    struct offence {
        const char* what;
        std::function<void(peer&, std::uint32_t)> commit;
    };
    const std::vector<offence> offences{
        {"a push", [](peer& at, std::uint32_t id) { at.send(framed(5, END_HEADERS, id, big_endian(2) + "\x82")); }},
        {"a frame that is too long",
         [](peer& at, std::uint32_t id) { at.send(ok_head(id) + data(id, std::string(20'000, 'x'))); }},
        {"DATA of no stream", [](peer& at, std::uint32_t) { at.send(data(99, "x")); }},
        {"RST_STREAM of no stream", [](peer& at, std::uint32_t) { at.reset(99, CANCEL); }},
        {"a window without an increment",
         [](peer& at, std::uint32_t) { at.send(framed(WINDOW_UPDATE, 0, 0, big_endian(0))); }},
        {"a window that is too large",
         [](peer& at, std::uint32_t) { at.send(framed(WINDOW_UPDATE, 0, 0, big_endian(0x7FFF'FFFF))); }},
        {"a second goodbye that takes more",
         [](peer& at, std::uint32_t id) {
             at.go_away(id, NO_ERROR);
             at.go_away(id + 100, NO_ERROR);
         }},
    };
    constexpr std::string_view told = "the server breaks HTTP/2: ";
    for (const place& p : places())
        for (const offence& one : offences) {
            CAPTURE(p.executor);
            CAPTURE(p.share);
            CAPTURE(one.what);
            const frame_server server([&](peer& at, int) {
                at.greet();
                one.commit(at, at.request());
                at.wait_for_close();
            });
            const outcome o = fetch_all(p, server.url(), 1).front();
            CAPTURE(o.error);
            CHECK(o.rc == CHM_E_PROTO);
            CHECK(says(o, told));
            CHECK(!o.error.ends_with(told));
            CHECK(!says(o, "goodbye"));
        }
}
