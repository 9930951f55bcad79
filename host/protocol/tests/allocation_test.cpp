// Counts what operator new is asked for, in a program of its own.
#include "protocol/llm_stream.hpp"

#include <cstdlib>
#include <doctest/doctest.h>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace {

thread_local std::size_t allocations = 0;

void* counted(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}

} // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    ++allocations;
    return std::malloc(size == 0 ? 1 : size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    ++allocations;
    return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

namespace {

using namespace chimera::host;

/// Every second one with an escape, which the plain reader leaves to the other.
std::string token_record(llm_api api, int i) {
    const std::string text = (i % 2 == 0 ? " token\\n" : " token") + std::string(static_cast<std::size_t>(i % 40), 'x');
    switch (api) {
    case llm_api::ollama:
        return "{\"model\":\"m\",\"response\":\"" + text + "\",\"done\":false,\"t_ns\":7}\n";
    case llm_api::ollama_chat:
        return "{\"message\":{\"role\":\"assistant\",\"content\":\"" + text + "\"},\"done\":false}\n";
    case llm_api::openai_completions:
        return "data: {\"choices\":[{\"text\":\"" + text + "\",\"index\":0}]}\n\n";
    default:
        return "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + text +
               "\"},\"finish_reason\":null}]}\n\n";
    }
}

/// 1000 records, cut into pieces of `piece` bytes (0: one piece for each record).
std::vector<std::string> body_pieces(llm_api api, std::size_t piece) {
    std::string whole;
    std::vector<std::string> pieces;
    for (int i = 0; i < 1000; ++i) {
        const std::string record = token_record(api, i);
        if (piece == 0) pieces.push_back(record);
        whole += record;
    }
    for (std::size_t at = 0; piece != 0 && at < whole.size(); at += piece) pieces.push_back(whole.substr(at, piece));
    return pieces;
}

void check_no_allocation(llm_api api, std::size_t piece) {
    CAPTURE(piece);
    stream_options options;
    options.reserve_text_bytes = 1 << 20;
    llm_stream stream(api, options);
    const std::vector<std::string> pieces = body_pieces(api, piece);
    for (const std::string& warm_up : pieces) stream.feed(warm_up);
    const std::uint64_t before_records = stream.state().content_records;
    const std::size_t before = allocations;
    for (const std::string& bytes : pieces) stream.feed(bytes);
    const std::size_t after = allocations;
    CHECK(stream.state().content_records == before_records + 1000);
    CHECK(after - before == 0);
}

} // namespace

TEST_CASE("a token costs no allocation, however the body is cut") {
    for (const llm_api api : {llm_api::ollama, llm_api::openai, llm_api::ollama_chat, llm_api::openai_completions}) {
        for (const std::size_t piece : {0, 1, 7, 63, 1024, 8192}) check_no_allocation(api, piece);
    }
}

TEST_CASE("nor does a token whose line ends with CR, or that has a piece of a tool call or reasoning") {
    for (const std::string delta :
         {R"("content":"a")", R"("content":"\n")", R"("reasoning_content":"a long piece of reasoning")",
          R"("tool_calls":[{"function":{"arguments":"{\"a\":1}"}}])"}) {
        const std::string record = "data: {\"choices\":[{\"index\":0,\"delta\":{" + delta + "}}]}\r\r";
        stream_options options;
        options.reserve_text_bytes = 1 << 20;
        llm_stream stream(llm_api::openai, options);
        for (int i = 0; i < 2000; ++i) stream.feed(record);
        stream.reset();
        stream.feed(record);
        const std::size_t before = allocations;
        for (int i = 0; i < 100; ++i) stream.feed(record);
        CHECK(allocations - before <=
              (delta.find("reasoning") != std::string::npos ? 8 : 0)); // its text has no reserve
        CHECK(stream.state().content_records == 101);
    }
}

TEST_CASE("the allocation counter counts") {
    const std::size_t before = allocations;
    const std::string text(1000, 'x');
    CHECK(allocations == before + 1);
    CHECK(text.size() == 1000);
}
