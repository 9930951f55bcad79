// http_response_fuzz --transport FILE [--seed N] [--seconds N] [--only N]
// Responses of tests/http_framing, changed, cut at random and ended in every way, over real connections. Whatever a
// server sends: the exchange ends, the process goes on, the outcome does not depend on the cuts, and the next response
// on the session is not touched.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>

#include "conformance/kit/census.hpp"
#include "fuzz_run.hpp"
#include "http_seeds.hpp"
#include "mutation.hpp"
#include "played_response.hpp"

using namespace chimera::fuzz;
using namespace chimera::http_framing;
using chimera::conformance::census;

namespace {

struct response {
    std::string bytes;
    std::vector<std::size_t> cuts;
    ending end = ending::open;
    bool head_request = false;
};

/// What one iteration plays on one session.
struct plan {
    std::vector<response> responses;
    option_list options;
    bool short_limits = false; ///< the options are time limits of 10 ms, which have to end each exchange
};

std::string text_of(const outcome& o) {
    return o.result() + " status " + std::to_string(o.status) + ", " + std::to_string(o.headers.size()) +
           " headers, body " + shown(o.body) + " " + o.message;
}

class http_response_fuzzer final : public fuzzer {
  public:
    explicit http_response_fuzzer(const std::string& file) : plugin_(file), mutator_(http_seeds(), http_tokens) {
        chimera::conformance::start_first_thread();
        before_ = census::take();
        server_ = std::make_unique<stepped_server>();
    }

    std::string iterate(random_source& random) override {
        const plan p = draw(random);
        if (p.short_limits) return play_to_the_limits(p);
        std::string why = difference(p, std::chrono::milliseconds(3));
        // A machine that stood still for that long is not the transport's fault.
        if (!why.empty()) why = difference(p, std::chrono::milliseconds(700));
        return why;
    }

    std::string input(random_source& random) override {
        const plan p = draw(random);
        std::string text = " ";
        for (const auto& [key, value] : p.options) text.append(" ").append(key).append("=").append(value);
        text += "\n";
        for (const response& r : p.responses) {
            text += std::string("  ") + (r.head_request ? "HEAD " : "GET ") + in_full(r.bytes);
            text += r.end == ending::open ? " open" : r.end == ending::close ? " close" : " reset";
            text += ", cut at";
            for (const std::size_t cut : r.cuts) text += " " + std::to_string(cut);
            text += "\n";
        }
        return text;
    }

    std::string left_over() override {
        server_.reset();
        return before_.left_over_after(std::chrono::seconds(5));
    }

  private:
    plan draw(random_source& random) const {
        plan p;
        p.short_limits = one_in(random, 40);
        if (p.short_limits)
            p.options = {{"first_byte_timeout_ms", "10"}, {"idle_timeout_ms", "10"}};
        else
            p.options = draw_options(random);
        for (std::size_t n = 1 + (one_in(random, 3) ? below(random, 3) : 0); n > 0; --n) {
            response r;
            r.bytes = mutator_.draw(random);
            r.cuts = draw_cuts(r.bytes, random);
            const std::size_t end = below(random, 10);
            r.end = end < 4 ? ending::open : end < 9 ? ending::close : ending::reset;
            r.head_request = one_in(random, 15);
            p.responses.push_back(std::move(r));
        }
        return p;
    }

    /// Small buffers, and the socket transport's other way of delivering.
    option_list draw_options(random_source& random) const {
        option_list options;
        for (const auto& option : option_list{{"read_size", "64"}, {"buffer_size", "1024"}, {"delivery", "fill"}})
            if (one_in(random, 4) && plugin_.has_option(option.first)) options.push_back(option);
        return options;
    }

    /// Plays all on a fresh session. A broken rule goes into the fault of its outcome.
    std::vector<outcome> play_all(const plan& p, bool cut, std::chrono::milliseconds patience) {
        transport_client client(plugin_, server_->url(), p.options);
        std::vector<outcome> seen;
        for (const response& r : p.responses) {
            seen.push_back(play(client, *server_,
                                {.bytes = r.bytes,
                                 .cuts = cut ? r.cuts : std::vector<std::size_t>{},
                                 .end = r.end,
                                 .head_request = r.head_request,
                                 .patience = patience}));
            if (seen.back().body.size() > r.bytes.size()) seen.back().fault = "more body than there were bytes";
        }
        if (const std::string next = afterwards(client, *server_); !next.empty()) seen.back().fault = next;
        return seen;
    }

    std::string difference(const plan& p, std::chrono::milliseconds patience) {
        const std::vector<outcome> whole = play_all(p, false, patience), cut = play_all(p, true, patience);
        for (std::size_t i = 0; i < whole.size(); ++i) {
            for (const outcome* o : {&whole[i], &cut[i]})
                if (!o->fault.empty()) return "response " + std::to_string(i) + ": " + o->fault;
            if (whole[i] != cut[i])
                return "response " + std::to_string(i) + "\n  whole: " + text_of(whole[i]) +
                       "\n  cut:   " + text_of(cut[i]);
        }
        return "";
    }

    std::string play_to_the_limits(const plan& p) {
        transport_client client(plugin_, server_->url(), p.options);
        for (const response& r : p.responses) {
            const outcome seen = play(client, *server_,
                                      {.bytes = r.bytes,
                                       .cuts = r.cuts,
                                       .end = r.end,
                                       .head_request = r.head_request,
                                       .patience = std::chrono::seconds(10)});
            if (!seen.fault.empty()) return seen.fault;
            if (seen.result() == "WAITS") return "the limits of 10 ms did not end the exchange in 10 s";
        }
        return "";
    }

    transport_plugin plugin_;
    mutator mutator_;
    census before_;
    std::unique_ptr<stepped_server> server_;
};

} // namespace

int main(int argc, char** argv) {
    try {
        const run_options options = parse_options(argc, argv, "--transport");
        if (options.subject.empty()) throw std::runtime_error("--transport FILE is missing");
        const std::string name = "http_response_fuzz --transport " + options.subject;
        return run(name.c_str(), options, [&] { return std::make_unique<http_response_fuzzer>(options.subject); });
    } catch (const std::exception& e) {
        std::fprintf(stderr, "http_response_fuzz: %s\n", e.what());
        return 2;
    }
}
