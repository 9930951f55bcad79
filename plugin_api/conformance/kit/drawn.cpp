#include "drawn.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace chimera::conformance {

schedule draw_schedule(random_source& from, bool with_stop) {
    constexpr unsigned spin_at_most = 400;
    schedule s;
    s.tasks.resize(drawn(from, 1, 24));
    const unsigned last = static_cast<unsigned>(s.tasks.size()) - 1;
    for (auto& steps : s.tasks)
        for (unsigned n = drawn(from, 1, 40); n > 0; --n) {
            const auto kind = static_cast<task_step>(drawn(from, 0, 5));
            steps.push_back({kind, kind == task_step::spin ? drawn(from, 0, spin_at_most) : drawn(from, 0, last)});
        }
    s.threads.resize(drawn(from, 1, 3));
    for (auto& steps : s.threads)
        for (unsigned n = drawn(from, 0, 200); n > 0; --n) {
            const auto kind = static_cast<thread_step>(drawn(from, 0, 3));
            steps.push_back({kind, kind == thread_step::spin ? drawn(from, 0, spin_at_most) : drawn(from, 0, last)});
        }
    if (with_stop) {
        auto& steps = s.threads[drawn(from, 0, static_cast<unsigned>(s.threads.size()) - 1)];
        const unsigned at = drawn(from, 0, static_cast<unsigned>(steps.size()));
        steps.insert(steps.begin() + at, {thread_step::stop, 0});
    }
    return s;
}

drawn_response draw_response(random_source& from) {
    static constexpr std::array<std::string_view, 8> letters{
        "a", "Z", "\n", "\r\n0\r\n\r\n", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x91", "data: {}\n\n"};
    drawn_response r;
    for (unsigned n = drawn(from, 1, 60); n > 0; --n) r.body += letters[drawn(from, 0, letters.size() - 1)];
    if (drawn(from, 0, 1) == 0) {
        r.wire = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(r.body.size()) + "\r\n\r\n" + r.body;
    } else {
        r.wire = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (std::size_t at = 0; at < r.body.size();) { // chunks cut characters as well
            const std::size_t n = std::min<std::size_t>(drawn(from, 1, 30), r.body.size() - at);
            char size[16];
            std::snprintf(size, sizeof size, "%zx\r\n", n);
            r.wire += size + r.body.substr(at, n) + "\r\n";
            at += n;
        }
        r.wire += "0\r\n\r\n";
    }
    for (std::size_t left = r.wire.size(); left > 0;) {
        const std::size_t n = std::min<std::size_t>(drawn(from, 0, 3) == 0 ? 1 : drawn(from, 1, 80), left);
        r.fragments.push_back({n, drawn(from, 0, 7) == 0 ? drawn(from, 1, 400) : 0});
        left -= n;
    }
    return r;
}

} // namespace chimera::conformance
