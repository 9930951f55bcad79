// stream_fuzz --format sse|ndjson [--seed N] [--seconds N] [--only N] [--replay PATH]
// Bodies of replies, changed and cut at random, through the reader of each API: the same counts, text, figures, remarks
// and kind of error whatever the cuts, also on a reader that has read another body before.
#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "corpus.hpp"
#include "fuzz_run.hpp"
#include "mutation.hpp"
#include "protocol/error_body.hpp"
#include "protocol/llm_stream.hpp"

using namespace chimera::fuzz;
using namespace chimera::host;

namespace {

// Parts of replies of the four APIs. Whole replies are in corpus/sse and corpus/ndjson.
constexpr std::array<std::string_view, 52> stream_tokens{"\n",
                                                         "\n\n",
                                                         "\r",
                                                         "\r\n",
                                                         "\r\n\r\n",
                                                         "data:",
                                                         "data: ",
                                                         "data: [DONE]\n\n",
                                                         "[DONE]",
                                                         "event: error\n",
                                                         "id: 1\n",
                                                         "retry: 5\n",
                                                         ": ping\n",
                                                         ":\n",
                                                         "\xef\xbb\xbf",
                                                         "{",
                                                         "}",
                                                         "[",
                                                         "]",
                                                         ",",
                                                         "\"",
                                                         "\\",
                                                         "null",
                                                         "true",
                                                         "false",
                                                         "\\u00e9",
                                                         "\\ud83d",
                                                         "\\ude00",
                                                         "\\u0000",
                                                         "\\n",
                                                         "\xc3",
                                                         "\xf0\x9f\x98\x80",
                                                         "\"content\":\"a\"",
                                                         "\"content\":null",
                                                         "\"content\":[{\"type\":\"text\",\"text\":\"a\"}]",
                                                         "\"choices\":[]",
                                                         "\"choices\":null",
                                                         "\"delta\":{}",
                                                         "\"delta\":null",
                                                         "\"index\":1",
                                                         "\"text\":\"a\"",
                                                         "\"finish_reason\":\"stop\"",
                                                         "\"finish_reason\":\"length\"",
                                                         "\"usage\":{\"completion_tokens\":3}",
                                                         "\"usage\":null",
                                                         "\"error\":\"no\"",
                                                         "\"error\":{\"message\":\"no\"}",
                                                         "\"response\":\"a\"",
                                                         "\"message\":{\"content\":\"a\"}",
                                                         "\"done\":true",
                                                         "\"done_reason\":\"load\"",
                                                         "\"t_ns\":12345"};

/// A way of cutting a body into records, and the APIs that use it.
struct stream_format {
    std::string name;
    std::array<llm_api, 2> apis;
};

const std::array formats{stream_format{"sse", {llm_api::openai, llm_api::openai_completions}},
                         stream_format{"ndjson", {llm_api::ollama, llm_api::ollama_chat}}};

const stream_format& format_named(const std::string& name) {
    const auto found = std::ranges::find(formats, name, &stream_format::name);
    if (found == formats.end()) throw std::runtime_error("give --format sse or --format ndjson");
    return *found;
}

struct reply {
    llm_api api = llm_api::ollama;
    stream_options options;
    std::string body;
    std::vector<std::size_t> cuts;
    std::string body_before; ///< read by the second reader before its reset
};

/// The counts that the pieces of one body brought together.
struct reading {
    feed_result sum;
    std::string broken; ///< a rule between feed_result and stream_state that did not hold
};

/// Each piece lies in memory of its very size and is gone after the call, so that a sanitizer sees each byte too far
/// and each view that is kept.
reading read(llm_stream& stream, std::string_view body, const std::vector<std::size_t>& cuts) {
    reading r;
    int first_contents = 0;
    const auto take = [&](const feed_result& brought) {
        r.sum += brought;
        first_contents += brought.first_content;
        if (brought.finished != stream.state().finished) r.broken = "finished differs between chunk and stream";
        if (brought.failed != stream.state().error.has_value()) r.broken = "failed differs between chunk and stream";
    };
    const auto feed = [&](std::string_view piece) {
        const std::vector<char> bytes(piece.begin(), piece.end());
        take(stream.feed({bytes.data(), bytes.size()}));
    };
    std::size_t from = 0;
    for (const std::size_t cut : cuts) {
        feed(body.substr(from, cut - from));
        from = cut;
    }
    feed(body.substr(from));
    take(stream.finish());
    const stream_state& state = stream.state();
    if (r.sum.content_records != state.content_records || r.sum.reasoning_records != state.reasoning_records ||
        r.sum.tool_call_records != state.tool_call_records)
        r.broken = "the chunks' records are not the stream's";
    if (first_contents != (state.content_records != 0 ? 1 : 0))
        r.broken = "first_content was said " + std::to_string(first_contents) + " times";
    return r;
}

template <class Number>
std::string text_of(const std::optional<Number>& n) {
    return n ? std::to_string(*n) : "-";
}

/// Everything that is known about a reply.
std::string text_of(const stream_state& s, const reading& r) {
    std::string text = std::to_string(s.records) + " records, " + std::to_string(s.content_records) +
                       " with content, " + std::to_string(s.reasoning_records) + " reasoning, " +
                       std::to_string(s.tool_call_records) + " tool calls, " + std::to_string(s.text_bytes) +
                       " bytes, text " + in_full(s.text) + ", reasoning " + in_full(s.reasoning) + ", t_ns " +
                       std::to_string(r.sum.first_t_ns) + " to " + std::to_string(r.sum.last_t_ns) +
                       (s.finished ? ", finished" : ", unfinished");
    const server_figures& f = s.figures;
    text += ", figures " + text_of(f.prompt_tokens) + " " + text_of(f.completion_tokens) + " " +
            text_of(f.reasoning_tokens) + " " + text_of(f.total_ns) + " " + text_of(f.load_ns) + " " +
            text_of(f.prompt_eval_ns) + " " + text_of(f.eval_ns) + " " + in_full(f.finish_reason);
    for (const remark& said : remarks_on(s)) text.append("; ").append(said.what).append(" ").append(said.detail);
    // Its words quote as much of the record as has come.
    if (s.error) text += "; " + std::string(name_of(s.error->kind)) + " in record " + std::to_string(s.error->record);
    return text;
}

bool is_oversized(const stream_state& s) { return s.error && s.error->kind == stream_error_kind::oversized; }

class stream_fuzzer final : public fuzzer {
  public:
    explicit stream_fuzzer(const stream_format& format) : format_(format) {}

    std::string iterate(random_source& random) override {
        const reply r = draw(random);
        return differences(r, one_in(random, 2));
    }

    /// Through both readers of the format, cut in several ways.
    std::string replay(const std::string& bytes, random_source& random) override {
        for (const llm_api api : format_.apis)
            for (int cut = 0; cut < 8; ++cut) {
                reply r = draw(random);
                r.api = api;
                r.body = bytes;
                r.cuts = draw_cuts(bytes, random);
                if (std::string why = differences(r, cut % 2 == 0); !why.empty()) return why;
            }
        return "";
    }

    std::string input(random_source& random) override {
        const reply r = draw(random);
        std::string text = "  " + std::string(name_of(r.api)) + ", at most " +
                           std::to_string(r.options.max_record_bytes) + " bytes a record" +
                           (r.options.keep_text ? "" : ", text not kept") + ": " + in_full(r.body) + "\n  cut at";
        for (const std::size_t at : r.cuts) text += " " + std::to_string(at);
        return text + "\n  before it: " + in_full(r.body_before);
    }

  private:
    static std::string differences(const reply& r, bool whole_error) {
        static_cast<void>(parse_error_body(r.body));
        static_cast<void>(error_in(r.body, whole_error));
        llm_stream whole(r.api, r.options), cut(r.api, r.options), used(r.api, r.options);
        const reading of_whole = read(whole, r.body, {}), of_cut = read(cut, r.body, r.cuts);
        read(used, r.body_before, {});
        used.reset();
        const reading of_used = read(used, r.body, r.cuts);
        for (const reading* one : {&of_whole, &of_cut, &of_used})
            if (!one->broken.empty()) return one->broken;

        const std::string text = text_of(cut.state(), of_cut);
        if (const std::string other = text_of(used.state(), of_used); other != text)
            return "fresh:  " + text + "\n  reused: " + other;
        // A record is too long as soon as that is known. How much of it was read before depends on the cuts.
        if (is_oversized(whole.state()) || is_oversized(cut.state())) return "";
        if (const std::string other = text_of(whole.state(), of_whole); other != text)
            return "whole: " + other + "\n  cut:   " + text;
        return "";
    }

    reply draw(random_source& random) const {
        reply r;
        r.api = format_.apis[below(random, format_.apis.size())];
        r.options.keep_text = !one_in(random, 4);
        if (one_in(random, 3)) r.options.max_record_bytes = 64 + below(random, 400);
        r.body = mutator_.draw(random);
        r.cuts = draw_cuts(r.body, random);
        r.body_before = mutator_.draw(random);
        return r;
    }

    const stream_format& format_;
    const mutator mutator_{corpus_seeds(format_.name), stream_tokens};
};

} // namespace

int main(int argc, char** argv) {
    try {
        const run_options options = parse_options(argc, argv, "--format");
        const stream_format& format = format_named(options.subject);
        const std::string name = "stream_fuzz --format " + format.name;
        return run(name.c_str(), options, [&] { return std::make_unique<stream_fuzzer>(format); });
    } catch (const std::exception& e) {
        std::fprintf(stderr, "stream_fuzz: %s\n", e.what());
        return 2;
    }
}
