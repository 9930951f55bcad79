// response_parser_fuzz [--seed N] [--seconds N] [--only N]
// The parser of the socket transport alone: many times as many responses as over connections.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>

#include "chimera/sdk/error.hpp"
#include "chimera/sdk/text.hpp"
#include "fuzz_run.hpp"
#include "http_seeds.hpp"
#include "mutation.hpp"
#include "outcome.hpp"
#include "response_parser.hpp"

using namespace chimera::fuzz;
using chimera::http_framing::outcome;
using chimera::http_framing::shown;
using chimera::socket::response_parser;

namespace {

struct message {
    std::string bytes;
    std::vector<std::size_t> cuts;
    bool closes = false;
    bool head_request = false;
};

/// Gives a parser the unconsumed bytes in a block of exactly their size, so a sanitizer sees each read beyond them.
class feeder {
  public:
    explicit feeder(bool head_request) : parser_({4096, 1 << 20}) { parser_.begin(head_request); }

    void receive(std::string_view bytes) {
        unparsed_.insert(unparsed_.end(), bytes.begin(), bytes.end());
        if (unparsed_.empty()) return;
        if (!parser_.head_done()) take_head();
        bool more = parser_.head_done();
        while (more && !parser_.done() && !unparsed_.empty()) more = take_body();
    }
    void end() {
        if (!parser_.head_done() || !parser_.done()) parser_.end_of_stream(unparsed_);
    }
    outcome result() {
        seen_.rc = parser_.head_done() && parser_.done() ? CHM_END : CHM_PENDING;
        return seen_;
    }
    outcome failed(const chimera::sdk::error& why) {
        seen_.rc = why.code();
        seen_.message = why.what();
        return seen_;
    }

  private:
    void consume(std::size_t n) {
        if (n > unparsed_.size()) {
            seen_.fault = "consumed more than there was";
            n = unparsed_.size();
        }
        unparsed_ = std::vector<char>(unparsed_.begin() + static_cast<std::ptrdiff_t>(n), unparsed_.end());
    }
    void take_head() {
        consume(parser_.parse_head(unparsed_));
        if (!parser_.head_done()) return;
        seen_.status = parser_.status();
        if (seen_.status < 200 || seen_.status > 999) seen_.fault = "status " + std::to_string(seen_.status);
        for (const chm_kv& field : parser_.headers())
            seen_.headers.emplace_back(chimera::sdk::view(field.key), chimera::sdk::view(field.value));
    }
    bool take_body() {
        const auto [consumed, piece] = parser_.parse_body(unparsed_);
        if (piece.size() > consumed) seen_.fault = "a piece is longer than the bytes that were consumed for it";
        seen_.body += piece;
        const bool more = !piece.empty();
        consume(consumed);
        return more;
    }

    response_parser parser_;
    std::vector<char> unparsed_;
    outcome seen_;
};

outcome parse(const message& m, const std::vector<std::size_t>& cuts) {
    feeder f(m.head_request);
    const std::string_view bytes = m.bytes;
    try {
        std::size_t from = 0;
        for (const std::size_t cut : cuts) {
            f.receive(bytes.substr(from, cut - from));
            from = cut;
        }
        f.receive(bytes.substr(from));
        if (m.closes) f.end();
        return f.result();
    } catch (const chimera::sdk::error& why) {
        return f.failed(why);
    }
}

class response_parser_fuzzer final : public fuzzer {
  public:
    std::string iterate(random_source& random) override {
        const message m = draw(random);
        const outcome whole = parse(m, {}), cut = parse(m, m.cuts);
        if (!whole.fault.empty() || !cut.fault.empty()) return whole.fault + cut.fault;
        if (whole.body.size() > m.bytes.size()) return "more body than there were bytes";
        if (whole.rc < 0 && whole.message.empty()) return "an error without a message";
        if (whole == cut) return "";
        return "whole: " + whole.result() + " " + shown(whole.body) + " " + whole.message +
               "\n  cut:   " + cut.result() + " " + shown(cut.body) + " " + cut.message;
    }

    std::string input(random_source& random) override {
        const message m = draw(random);
        std::string text = std::string(m.head_request ? "  HEAD " : "  GET ") + in_full(m.bytes);
        text += m.closes ? " close, cut at" : " open, cut at";
        for (const std::size_t cut : m.cuts) text += " " + std::to_string(cut);
        return text;
    }

  private:
    message draw(random_source& random) const {
        message m;
        m.bytes = mutator_.draw(random);
        m.cuts = draw_cuts(m.bytes, random);
        m.closes = one_in(random, 2);
        m.head_request = one_in(random, 15);
        return m;
    }

    const mutator mutator_{http_seeds(), http_tokens};
};

} // namespace

int main(int argc, char** argv) {
    try {
        return run("response_parser_fuzz", parse_options(argc, argv, ""),
                   [] { return std::make_unique<response_parser_fuzzer>(); });
    } catch (const std::exception& e) {
        std::fprintf(stderr, "response_parser_fuzz: %s\n", e.what());
        return 2;
    }
}
