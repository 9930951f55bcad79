#include "parsed.hpp"

#include <doctest/doctest.h>

#include <random>

#include "chimera/sdk/error.hpp"
#include "chimera/sdk/text.hpp"

namespace chimera::socket::test {

namespace {

void feed(response_parser& parser, std::string& unparsed, parsed& result) {
    if (!parser.head_done()) {
        unparsed.erase(0, parser.parse_head(unparsed));
        if (!parser.head_done()) return;
        result.status = parser.status();
        for (const chm_kv& field : parser.headers())
            result.headers.emplace_back(sdk::view(field.key), sdk::view(field.value));
    }
    bool more = !unparsed.empty();
    while (more && !parser.done()) {
        const auto [consumed, piece] = parser.parse_body(unparsed);
        REQUIRE(consumed <= unparsed.size());
        REQUIRE(piece.size() <= consumed);
        result.body += piece;
        more = !piece.empty();
        unparsed.erase(0, consumed);
        more = more && !unparsed.empty();
    }
}

} // namespace

std::string parsed::header(std::string_view name) const {
    for (const auto& [key, value] : headers)
        if (key == name) return value;
    return "(none)";
}

parsed parse(std::string_view message, const std::vector<std::size_t>& cuts, const parse_options& how) {
    parsed result;
    response_parser parser(how.limits);
    parser.begin(how.head_request);
    std::string unparsed;
    std::size_t from = 0;
    try {
        for (std::size_t i = 0; i <= cuts.size(); ++i) {
            const std::size_t to = i < cuts.size() ? cuts[i] : message.size();
            unparsed.append(message.substr(from, to - from));
            from = to;
            if (!unparsed.empty()) feed(parser, unparsed, result);
        }
        if (how.then_closed && !(parser.head_done() && parser.done())) parser.end_of_stream(unparsed);
        result.done = parser.head_done() && parser.done();
        result.keep_alive = result.done && parser.keep_alive();
        result.left = unparsed.size();
    } catch (const sdk::error& e) {
        result.rc = e.code();
        result.error = e.what();
    }
    return result;
}

std::vector<std::size_t> every_byte(std::string_view message) {
    std::vector<std::size_t> cuts;
    for (std::size_t at = 1; at < message.size(); ++at) cuts.push_back(at);
    return cuts;
}

std::vector<std::size_t> random_cuts(std::string_view message, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<std::size_t> cuts;
    const std::size_t step = 1 + random() % (1 + message.size() / (1 + random() % 20));
    for (std::size_t at = 1 + random() % step; at < message.size(); at += 1 + random() % step) cuts.push_back(at);
    return cuts;
}

parsed parse_every_way(std::string_view message, const parse_options& how) {
    CAPTURE(message);
    const parsed whole = parse(message, {}, how);
    const auto same = [&](const std::vector<std::size_t>& cuts) {
        const parsed cut = parse(message, cuts, how);
        CHECK(cut.error == whole.error);
        CHECK(cut == whole);
    };
    for (std::size_t at = 1; at < message.size(); ++at) {
        CAPTURE(at);
        same({at});
    }
    same(every_byte(message));
    for (std::uint32_t seed = 0; seed < 20; ++seed) {
        CAPTURE(seed);
        same(random_cuts(message, seed));
    }
    return whole;
}

} // namespace chimera::socket::test
