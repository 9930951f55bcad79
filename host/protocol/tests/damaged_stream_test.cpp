// Streams that are damaged anywhere: whatever becomes of one, it is the same wherever the body was cut.
#include "protocol/llm_stream.hpp"

#include "split_feed.hpp"

#include <doctest/doctest.h>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace chimera::host;

namespace {

const std::vector<std::string> event_bodies{
    ": ping\n\ndata: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"a\"},"
    "\"finish_reason\":null}]}\n\nevent: x\r\ndata: "
    "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\ud83d\\ude80\\n\"}}],"
    "\"usage\":null,\"t_ns\":5}\r\n\r\ndata: {\"choices\":[{\"index\":1,\"delta\":{\"reasoning\":\"b\",\"tool_calls\":"
    "[{\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]},\"finish_reason\":\"stop\"}]}\r\r"
    "data: {\"choices\":[],\"usage\":{\"completion_tokens\":3}}\n\ndata: [DONE]\n\n",
    "data: {\"choices\":[{\"delta\":\ndata: {\"content\":[{\"type\":\"text\",\"text\":\"é\"}]}}]}\n\nevent: error\n"
    "data: no more\n\nerror: {\"message\":\"m\"}\n{\"error\":{\"code\":1}}\n",
    "\xEF\xBB\xBF{\n \"error\": {\n  \"message\": \"x\"\n }\n}\n", "<html>\n<body>data: {}</body>\n</html>\n"};

const std::vector<std::string> line_bodies{
    "{\"model\":\"m\",\"response\":\"a\",\"done\":false,\"t_ns\":4}\n{\"response\":\"\\ud83d é\",\"done\":false}\r\n\n"
    "data: "
    "{\"message\":{\"role\":\"assistant\",\"content\":\"b\",\"thinking\":\"c\"},\"done\":false}\n{\"type\":\"ping\"}\n"
    "{\"response\":\"\",\"done\":true,\"done_reason\":\"stop\",\"eval_count\":3,\"eval_duration\":5}\n{\"late\":1}\n",
    "{\n \"error\": {\n  \"message\": \"x\"\n }\n}\n", "{\"response\":\"a\",\"done\":false}\n{\"error\":\"x\"}\n"};

class damager {
  public:
    std::string damage(std::string text) {
        constexpr std::string_view alphabet = "\"\\{}[]:,-.019etfnu \n\r\t\x01\x7f\x80\xc3\xff<d";
        for (auto edits = 1 + random_() % 4; edits != 0 && !text.empty(); --edits) {
            const std::size_t at = random_() % text.size();
            switch (random_() % 4) {
            case 0:
                text[at] = alphabet[random_() % alphabet.size()];
                break;
            case 1:
                text.erase(at, 1 + random_() % 12);
                break;
            case 2:
                text.insert(at, text.substr(random_() % text.size(), random_() % 60));
                break;
            default:
                text.insert(at, 1, alphabet[random_() % alphabet.size()]);
            }
        }
        return text;
    }
    std::size_t below(std::size_t n) { return random_() % n; }

  private:
    std::mt19937 random_{20251129};
};

/// What became of it, as text that can be compared.
std::string outcome(const stream_state& state, const piecewise_feeder<llm_stream>& fed) {
    std::string out = state.text + "|" + state.reasoning + "|" + state.figures.finish_reason;
    for (const std::uint64_t n :
         {state.records, state.content_records, state.reasoning_records, state.tool_call_records, state.text_bytes,
          state.other_choice_records, state.skipped_records, state.records_after_end, state.broken_characters,
          state.unframed_records, state.framed_records, fed.content_records, std::uint64_t{state.finished},
          std::uint64_t{state.end_mark_missing}, state.figures.completion_tokens.value_or(0)})
        out += " " + std::to_string(n);
    return state.error ? out + " " + name_of(state.error->kind) : out;
}

void check_alike(llm_api api, const std::vector<std::string>& bodies, int rounds) {
    damager d;
    int failed = 0, finished = 0;
    for (int round = 0; round < rounds; ++round) {
        const std::string body = d.damage(bodies[d.below(bodies.size())]);
        std::string whole;
        for (const std::size_t longest : {body.size(), std::size_t{1}, std::size_t{7}, std::size_t{90}}) {
            llm_stream stream(api);
            piecewise_feeder<llm_stream> feeder(stream);
            for (std::size_t at = 0; at < body.size();) {
                const std::size_t size = longest == body.size() ? longest : 1 + d.below(longest);
                feeder.feed(std::string_view(body).substr(at, size));
                at += size;
            }
            feeder.finish();
            REQUIRE((stream.state().finished || stream.state().error)); // one of both, and not both:
            REQUIRE_FALSE((stream.state().finished && stream.state().error));
            const std::string got = outcome(stream.state(), feeder);
            if (whole.empty()) whole = got;
            if (got != whole) FAIL(body << "\nwhole:  " << whole << "\npieces: " << got);
            (stream.state().error ? failed : finished) += 1;
        }
    }
    CHECK(failed > rounds / 10); // both kinds were there
    CHECK(finished > rounds / 10);
}

} // namespace

TEST_CASE("a damaged event stream comes to the same end wherever it is cut") {
    check_alike(llm_api::openai, event_bodies, 8000);
}

TEST_CASE("damaged JSON lines come to the same end wherever they are cut") {
    check_alike(llm_api::ollama_chat, line_bodies, 8000);
}
