#include "played_response.hpp"

#include <numeric>
#include <stdexcept>

namespace chimera::http_framing {

namespace {

using clock = std::chrono::steady_clock;

/// False: the client is over, or asked for nothing within the time.
bool wait_for_request(transport_client& client, stepped_server& server, clock::time_point limit) {
    while (!server.take_request()) {
        if (client.over() || clock::now() > limit) return false;
        client.advance(1);
    }
    return true;
}

void send(transport_client& client, stepped_server& server, std::string_view piece, clock::time_point limit) {
    while (server.send(piece) && !piece.empty()) {
        if (client.over() || clock::now() > limit) return; // a reader that has stopped reading
        client.advance(1);
    }
}

void answer(transport_client& client, stepped_server& server, const response_plan& plan, clock::time_point limit) {
    std::size_t from = 0;
    for (const std::size_t cut : plan.cuts) {
        send(client, server, plan.bytes.substr(from, cut - from), limit);
        from = cut;
        while (client.advance(0)) {
        }
    }
    send(client, server, plan.bytes.substr(from), limit);
    if (!plan.cuts.empty() || plan.end == ending::reset)
        while (client.advance(0)) {
        }
    if (plan.end == ending::close) server.end_sending();
    if (plan.end == ending::reset) server.reset();
}

} // namespace

outcome play(transport_client& client, stepped_server& server, const response_plan& plan) {
    constexpr int most_answers = 5;
    const auto limit = clock::now() + plan.patience + std::chrono::seconds(5);
    client.start(plan.head_request ? "HEAD" : "GET");
    if (wait_for_request(client, server, limit)) answer(client, server, plan, limit);
    auto waited_since = clock::now();
    for (int answers = 1; !client.over() && clock::now() < waited_since + plan.patience;) {
        if (client.advance(1)) waited_since = clock::now();
        if (client.over() || !server.take_request()) continue;
        if (++answers > most_answers) throw std::runtime_error("the client asks again and again");
        answer(client, server, plan, limit);
    }
    return client.finish();
}

std::vector<std::size_t> every_byte(std::string_view bytes) {
    std::vector<std::size_t> cuts(bytes.empty() ? 0 : bytes.size() - 1);
    std::iota(cuts.begin(), cuts.end(), std::size_t{1});
    return cuts;
}

std::string afterwards(transport_client& client, stepped_server& server) {
    const outcome next = play(client, server, {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nafter"});
    if (next.result() == "200" && next.body == "after" && next.fault.empty()) return "";
    return "the next response became " + next.result() + " " + shown(next.body) + " " + next.message + next.fault;
}

} // namespace chimera::http_framing
