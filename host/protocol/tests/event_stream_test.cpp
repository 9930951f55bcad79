// The grammar of server-sent events, and what servers send in its place.
#include "protocol/llm_stream.hpp"

#include "split_feed.hpp"

#include <doctest/doctest.h>
#include <functional>
#include <string>
#include <vector>

using namespace chimera::host;

namespace {

std::string token(std::string_view text, std::string_view more = "") {
    return "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + std::string(text) + "\"},\"finish_reason\":null}]" +
           std::string(more) + "}";
}
std::string event(std::string_view json) { return "data: " + std::string(json) + "\n\n"; }
const std::string last = R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})";
const std::string done = "data: [DONE]\n\n";

std::string with_ends(std::string_view text, std::string_view end) {
    std::string out;
    for (const char c : text) {
        if (c == '\n')
            out += end;
        else
            out += c;
    }
    return out;
}

/// However it is cut, the body gives `text` and ends well.
void check_text(const std::string& body, const std::string& text,
                const std::function<void(const stream_state&)>& more = {}) {
    CAPTURE(body);
    for_every_split<openai_stream>(body, [&](const openai_stream& stream, const auto&) {
        REQUIRE_MESSAGE(!stream.state().error, stream.state().error->message);
        CHECK(stream.state().finished);
        CHECK(stream.state().text == text);
        if (more) more(stream.state());
    });
}

void check_error(const std::string& body, stream_error_kind kind, const std::string& words) {
    CAPTURE(body);
    for_every_split<openai_stream>(body, [&](const openai_stream& stream, const auto& fed) {
        REQUIRE(stream.state().error);
        CHECK(fed.last.failed);
        CHECK_MESSAGE(stream.state().error->kind == kind, name_of(stream.state().error->kind));
        CHECK_MESSAGE(stream.state().error->message.find(words) != std::string::npos, stream.state().error->message);
    });
}

} // namespace

TEST_CASE("lines end with LF, CRLF or CR, and all of the standard's lines are understood") {
    const std::string body = ": a comment\n\nid: 1\nretry: 5\nevent: message\ndata: " + token("a") +
                             "\n\nunheard: of\ndata:" + token(" b") + "\n\ndata\ndata:\n\n" +
                             "data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"c\"}}]}\n\n:\n\n" + event(last) +
                             done;
    for (const char* end : {"\n", "\r\n", "\r"}) {
        for (const char* mark : {"", "\xEF\xBB\xBF"}) {
            check_text(mark + with_ends(body, end), "a bc", [](const stream_state& state) {
                CHECK(state.records == 4);
                CHECK(remarks_on(state).empty());
            });
        }
    }
    // Ends of all kinds in one body.
    check_text("data: " + token("a") + "\r\rdata: " + token("b") + "\n\r\ndata: " + token("c") + "\r\n\ndata: [DONE]\r",
               "abc");
}

TEST_CASE("a CR at the end of a piece ends its line at once") {
    openai_stream stream;
    CHECK(stream.feed("data: " + token("a") + "\r").content_records == 1);
    CHECK(stream.feed("\ndata: " + token("b") + "\r").content_records == 1);
    CHECK(stream.feed("\rdata: [DONE]\r").finished);
    CHECK(stream.feed("\n\r\n").finished);
    CHECK_FALSE(stream.finish().failed);
    CHECK(stream.state().records_after_end == 0);
}

TEST_CASE("a line of many that end with CR may be as long as the limit, all of them longer") {
    stream_options options;
    options.max_record_bytes = 150;
    openai_stream stream(options);
    std::string body;
    for (int i = 0; i < 20; ++i) body += "data: " + token("a") + "\r\r";
    CHECK(stream.feed(body + "\n").content_records == 20);
    CHECK_FALSE(stream.state().error);
}

TEST_CASE("a mark of the byte order counts only at the beginning") {
    check_text(event(token("a")) + "\xEF\xBB\xBF" + event(token("lost")) + event(token("b")) + done, "ab");
}

TEST_CASE("data with a mark of the byte order before it ends the same way however it is cut") {
    const std::string body =
        "data:\xEF\xBB\xBF {\"choices\":[{\"index\":0,\ndata: \"delta\":{\"content\":\"a\"}}]}\n\n";
    for_every_split<openai_stream>(body + event(token("b")), [&](const openai_stream& stream, const auto&) {
        REQUIRE(stream.state().error);
        CHECK(stream.state().error->kind == stream_error_kind::protocol);
        CHECK(stream.state().error->message.find("a\"}}]}") != std::string::npos); // the whole event
    });
}

TEST_CASE("data that is JSON by itself is taken at its line end") {
    openai_stream stream;
    CHECK(stream.feed("data: " + token("a") + "\n").content_records == 1);
    CHECK(stream.feed("data: " + token("\\u0062") + "\n").content_records == 1);
    CHECK(stream.feed("data: {\"choices\":[{\n").content_records == 0);
    CHECK(stream.feed("data: \"delta\":{\"content\":\"c\"}}]}\n").content_records == 0);
    CHECK(stream.feed("\n").content_records == 1);
    CHECK(stream.feed("data: [DONE]\n").finished);
    CHECK(stream.state().text == "abc");
    std::string body;
    for (const char* text : {"a", "\\n", "é"}) body += "data: " + token(text) + "\n"; // no blank line anywhere
    check_text(body + "data: [DONE]\n", "a\né");
}

TEST_CASE(
    "the end mark may have blanks around it, come twice or without a frame, or be missing after a finish reason") {
    const std::string answer = event(token("a")) + event(last);
    for (const char* end : {"data: [DONE] \n\n", "data:  [DONE]\t\r\n\r\n", "data:[DONE]",
                            "data: [DONE]\n\ndata: [DONE]\n\n", "[DONE]\n"})
        check_text(answer + end, "a", [](const stream_state& state) { CHECK(remarks_on(state).empty()); });
    for (const char* end : {"", "data: [DO", "data: {\"usage\":{\"completion_tok", ": bye\n\n"}) {
        check_text(answer + end, "a", [](const stream_state& state) {
            CHECK(state.end_mark_missing);
            CHECK(state.figures.finish_reason == "stop");
        });
    }
    check_error(event(token("a")), stream_error_kind::early_end, "[DONE]");
}

TEST_CASE("nothing behind the end is read, and nothing there can fail") {
    const std::string behind = event(token("late")) + "data: nonsense\n\n: comment\n\n" + done +
                               "{\"error\":\"late\"}\n" + "event: error\ndata: late\n\n<html>\n\n";
    check_text(event(token("a")) + event(last) + done + behind, "a",
               [](const stream_state& state) { CHECK(state.records_after_end == 4); });
    openai_stream stream(stream_options{100, 0, true});
    stream.feed(done + std::string(1000, 'x'));
    CHECK_FALSE(stream.finish().failed);
}

TEST_CASE("text in place of JSON is the server's error, though the stream stays open") {
    for (const char* text : {"n must be more than 0.", "9000 tokens are too many", "[ERROR] out of memory", "-- no",
                             "true, but too late", "null pointer"}) {
        CAPTURE(text);
        openai_stream stream;
        CHECK(stream.feed(event(token("a")) + "data: " + text + "\n").failed); // no blank line
        CHECK(stream.state().error->kind == stream_error_kind::server_error);
        CHECK(stream.state().error->record == 2);
        check_error(event(text), stream_error_kind::server_error, text);
        check_error("data: " + std::string(text) + "\n" + done, stream_error_kind::server_error, text);
    }
    openai_stream stream;
    stream.feed("data: Traceback:\ndata:   File x\ndata: ValueError: n\n\n");
    REQUIRE(stream.state().error);
    CHECK(stream.state().error->message.find("ValueError: n") != std::string::npos);
    check_error(event("{'error': 'a dict of Python'}"), stream_error_kind::garbage, "a dict of Python");
    check_error(event("\"only words\""), stream_error_kind::server_error, "only words");
}

TEST_CASE("an event, a field or a line named error is the server's error") {
    const auto server_error = stream_error_kind::server_error;
    check_error(event(token("a")) + "event: error\ndata: {\"message\":\"no room\",\"code\":7}\n\n", server_error,
                "no room (code 7)");
    check_error("event:error\ndata: no room\n\n", server_error, "no room");
    check_error("event: error\ndata: {\ndata: \"error\":\"no room\"}\n\n" + done, server_error, "no room");
    check_error(event(token("a")) + "error: {\"code\":500,\"message\":\"no room\",\"type\":\"server_error\"}\n\n" +
                    done,
                server_error, "no room (code 500, type server_error)");
    check_error("error: no room\n\n", server_error, "no room");
    check_error("{\"error\":{\"message\":\"no room\"}}\n", server_error, "no room");
    check_error(event(token("a")) + "{\"error\":\"no room\"}\n" + done, server_error, "no room");
    check_error(event(token("a")) + "{\n\"error\": \"no room\"\n}\n" + done, server_error, "no room");
    check_error("data: {\n\"error\": \"no room\"\n}\n\n", server_error, "no room"); // data: before its first line only
    check_text("event: error\n\n" + event(token("a")) + done, "a");                 // no data: no event
}

TEST_CASE("JSON lines without a frame are read and told") {
    check_text(token("a") + "\n" + token("\\u0062") + "\n" + last + "\n", "ab", [](const stream_state& state) {
        CHECK(state.unframed_records == 3);
        CHECK(state.end_mark_missing);
    });
}

TEST_CASE("a body that is not a stream tells what it is, with the server's words") {
    const auto server_error = stream_error_kind::server_error, protocol = stream_error_kind::protocol;
    check_error("{\n  \"error\": {\n    \"message\": \"a } in it\",\n    \"type\": \"x\"\n  }\n}\n", server_error,
                "a } in it (type x)");
    check_error("\n  {\r\n\r\n  \"base_resp\": {\"status_code\": 1004, \"status_msg\": \"login fail\"}\r\n}",
                server_error, "whole JSON body instead of a stream, which reports an error: login fail (code 1004)");
    check_error("[{\"error\":\"no room\"}]", server_error, "no room");
    check_error("<html>\n<head>data: x</head>\n<h1>502 Bad Gateway</h1>", server_error, "HTML");
    check_error("<html><h1>502 Bad Gateway</h1></html>\n", server_error, "502 Bad Gateway");
    check_error("Internal Server Error\n", server_error, "Internal Server Error");
    check_error("{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"all\"},"
                "\"finish_reason\":\"stop\"}],\"usage\":{\"completion_tokens\":1}}\n",
                protocol, "did not stream");
    check_error("{\n\"choices\":[{\"message\":{\"content\":\"all\"}}]\n}", protocol, "did not stream");
    check_error("{\"choices\":[{\"text\":\"all\",\"finish_reason\":\"stop\"}]}", protocol, "did not stream");
    check_error("{\"broken\n", stream_error_kind::garbage, "broken");
    check_error("{\n\"half\": 1,\n", stream_error_kind::garbage, "half");
    check_error("{\n\"half\": 1,\n" + event(token("a")), stream_error_kind::garbage, "half");
    openai_stream endless;
    endless.feed("{\n");
    for (int i = 0; i < 7000 && !endless.state().error; ++i) endless.feed("\"key\": 1,\n");
    CHECK(endless.state().error);
}

TEST_CASE("heartbeats are passed over and told; a stream of nothing else is an error that shows the first") {
    const std::string beats = "event: ping\ndata: {\"type\": \"ping\"}\n\n" +
                              event("{\"type\":\"keepalive\",\"n\":1.5}") + event("{}") + ": ping\n\n";
    check_text(event(token("a")) + beats + event(token("b")) + done, "ab", [](const stream_state& state) {
        CHECK(state.skipped_records == 3);
        CHECK(state.first_skipped == "{\"type\": \"ping\"}");
        CHECK(remarks_on(state).size() == 1);
    });
    check_error(beats, stream_error_kind::protocol, "{\"type\": \"ping\"}");
    check_error(beats + done, stream_error_kind::protocol, "{\"type\": \"ping\"}");
    openai_stream stream;
    stream.feed(beats + "data: [DONE]\n\n");
    CHECK_FALSE(stream.state().finished);
}

TEST_CASE("words over several data lines end with the limit of a record, wherever they are cut") {
    stream_options options;
    options.max_record_bytes = 40;
    const std::string body = "data: the queue is full\ndata: and has been so for a long time\n\n";
    for (std::size_t cut = 0; cut <= body.size(); ++cut) {
        CAPTURE(cut);
        openai_stream stream(options);
        stream.feed(std::string_view(body).substr(0, cut));
        stream.feed(std::string_view(body).substr(cut));
        stream.finish();
        REQUIRE(stream.state().error);
        CHECK(stream.state().error->kind == stream_error_kind::server_error);
    }
}

TEST_CASE("records behind the end are counted up to the first one that is too long, wherever they are cut") {
    stream_options options;
    options.max_record_bytes = 60;
    const std::string body = "data: [DONE]\n\ndata: {\"a\":1}\n\ndata: {\"a\":\"" + std::string(80, 'x') +
                             "\"}\n\ndata: {\"a\":2}\n\ndata: {\"a\":3}\n\n";
    for (std::size_t cut = 0; cut <= body.size(); ++cut) {
        CAPTURE(cut);
        openai_stream stream(options);
        stream.feed(std::string_view(body).substr(0, cut));
        stream.feed(std::string_view(body).substr(cut));
        stream.finish();
        CHECK(stream.state().finished);
        CHECK(stream.state().records_after_end == 2);
    }
}
