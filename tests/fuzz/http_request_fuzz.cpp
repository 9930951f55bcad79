// http_request_fuzz [--seed N] [--seconds N] [--only N]
// The request reader of chimera-sim: requests one behind the other, right and wrong, whole and cut.
#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <memory>
#include <vector>

#include "fuzz_run.hpp"
#include "http_request_reader.hpp"
#include "mutation.hpp"

using namespace chimera::fuzz;
using chimera::sim::http_request_reader;
using outcome = http_request_reader::outcome;

namespace {

std::vector<std::string> request_seeds() {
    const std::string host = "Host: a\r\n", chunked = "Transfer-Encoding: chunked\r\n";
    const std::string post = "POST /api/generate HTTP/1.1\r\n" + host;
    return {
        "GET / HTTP/1.1\r\n" + host + "\r\n",
        "GET /api/tags?x=1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "HEAD /v1/models HTTP/1.1\r\nConnection: close\r\n\r\n",
        "\r\n\n" + post + "X-Chimera-Fault: reset,after=1\r\nContent-Length: 11\r\n\r\nhello world",
        post + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello" + post + "Content-Length: 2\r\n\r\n{}",
        post + chunked + "\r\n5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n",
        post + chunked + "\r\n0\r\n\r\nGET /chimera/stats HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        post + "A: b\r\n folded\r\n\tagain\r\nContent-Length: 0\r\n\r\n",
        post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        post + "Content-Length: 67108865\r\n\r\n",
        post + chunked + "\r\n4000001\r\n",
        post + "A: " + std::string(3000, 'b') + "\r\nContent-Length: 1\r\n\r\nx",
        post + chunked + "\r\n1;" + std::string(3000, 'e') + "\r\nx\r\n0\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    };
}

constexpr std::array<std::string_view, 30> request_tokens{
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    "\r\n ",
    " ",
    "\t",
    ":",
    ",",
    ";",
    "GET ",
    "POST ",
    " HTTP/1.1\r\n",
    " HTTP/1.0\r\n",
    " HTTP/1.2\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: 5\r\n",
    "Content-Length:",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: identity\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Expect: 100-continue\r\n",
    "Connection: close\r\n",
    "X-Chimera-Fault: stall\r\n",
    "0\r\n\r\n",
    "5\r\nhello\r\n",
    "5;a=b\r\n",
    "ffffffffffffffff\r\n",
    std::string_view("\0", 1),
};

struct message {
    std::string bytes;
    std::vector<std::size_t> cuts;
};

/// Everything that a reader said of some bytes.
struct answers {
    std::string text;
    std::string fault; ///< of the reader itself; empty: none
};

/// A reader that is shown pieces, each in memory of just its size, so that a sanitizer sees each byte too far.
class shown_reader {
  public:
    void receive(std::string_view bytes) {
        if (over_) return;
        const std::vector<char> piece(bytes.begin(), bytes.end());
        received_ += piece.size();
        auto result = reader_.feed({piece.data(), piece.size()});
        for (; result == outcome::complete; result = reader_.next()) take(reader_.request());
        over_ = result == outcome::failed;
        if (over_) {
            said_.text += std::to_string(reader_.error_status()) + " " + reader_.error_text();
            if (reader_.error_status() < 400 || reader_.error_status() > 499 || reader_.error_text().empty())
                said_.fault = "a refusal without a status and a reason";
            if (reader_.held() != 0 || reader_.in_request()) said_.fault = "a refused request is still held";
        }
        if (reader_.held() > received_ + 1) said_.fault = "more is held than has come";
    }
    answers end() {
        if (!over_ && reader_.in_request()) said_.text += "unfinished";
        if (!over_ && reader_.take_continue()) said_.text += ", waits for 100";
        return said_;
    }

  private:
    void take(const chimera::sim::http_request& r) {
        said_.text += in_full(r.method) + in_full(r.path) + in_full(r.fault) + in_full(r.body) +
                      (r.keep_alive ? " keeps" : " closes") + (r.http_1_0 ? " 1.0\n" : "\n");
        if (r.body.size() > received_) said_.fault = "more body than there were bytes";
        if (r.method.empty() || r.path.empty() || r.path.find_first_of(" \t\r\n") != std::string::npos)
            said_.fault = "a method or a path that is none";
    }

    http_request_reader reader_;
    answers said_;
    std::size_t received_ = 0;
    bool over_ = false;
};

answers read(std::string_view bytes, const std::vector<std::size_t>& cuts) {
    shown_reader reader;
    std::size_t from = 0;
    for (const std::size_t cut : cuts) {
        reader.receive(bytes.substr(from, cut - from));
        from = cut;
    }
    reader.receive(bytes.substr(from));
    return reader.end();
}

class http_request_fuzzer final : public fuzzer {
  public:
    std::string iterate(random_source& random) override {
        const message m = draw(random);
        const answers whole = read(m.bytes, {}), cut = read(m.bytes, m.cuts);
        if (!whole.fault.empty() || !cut.fault.empty()) return whole.fault + cut.fault;
        if (whole.text == cut.text) return "";
        return "whole: " + whole.text + "\n  cut:   " + cut.text;
    }

    std::string input(random_source& random) override {
        const message m = draw(random);
        std::string text = "  " + in_full(m.bytes) + " cut at";
        for (const std::size_t cut : m.cuts) text += " " + std::to_string(cut);
        return text;
    }

  private:
    message draw(random_source& random) const {
        message m;
        for (std::size_t requests = 1 + below(random, 3); requests > 0; --requests) m.bytes += mutator_.draw(random);
        if (one_in(random, 40)) grow(m.bytes, random);
        m.cuts = draw_cuts(m.bytes, random);
        return m;
    }

    /// Repeats a piece until a limit is near, or passed.
    static void grow(std::string& bytes, random_source& random) {
        if (bytes.empty()) return;
        const std::size_t at = below(random, bytes.size());
        const std::string piece = bytes.substr(at, 1 + below(random, 40));
        std::string many;
        const std::size_t size = (std::size_t{60} << 10U) + below(random, std::size_t{10} << 10U);
        while (many.size() < size) many += piece;
        bytes.insert(at, many);
    }

    const mutator mutator_{request_seeds(), request_tokens};
};

} // namespace

int main(int argc, char** argv) {
    try {
        return run("http_request_fuzz", parse_options(argc, argv, ""),
                   [] { return std::make_unique<http_request_fuzzer>(); });
    } catch (const std::exception& e) {
        std::fprintf(stderr, "http_request_fuzz: %s\n", e.what());
        return 2;
    }
}
