// Counts what operator new is asked for, in a program of its own.
#include <cstdlib>
#include <doctest/doctest.h>
#include <new>

#include "frame/framing.hpp"
#include "frame_samples.hpp"

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

using namespace chimera::frames;

TEST_CASE("after the first frames, neither codec allocates to write or to read") {
    std::mt19937_64 random(1);
    std::vector<owned_frame> frames;
    for (const kind_rule& rule : kind_rules) frames.push_back(drawn_frame(rule.kind, random, true, 2000));
    for (owned_frame& o : frames) o.view();
    for (const auto& with : all_codecs()) {
        CAPTURE(name_of(with->id()));
        byte_buffer out;
        scratch memory;
        std::size_t before = 0, equal = 0;
        for (int round = 0; round < 4; ++round) {
            if (round == 2) before = allocations;
            for (const owned_frame& o : frames) {
                out.clear();
                with->encode(o.f, out);
                equal += with->decode(out.bytes(), memory, limits{}) == o.f ? 1 : 0;
            }
        }
        const std::size_t after = allocations;
        CHECK(after - before == 0);
        CHECK(equal == 4 * frames.size());
    }
}

TEST_CASE("nor does a stream, however it is cut") {
    std::mt19937_64 random(2);
    std::vector<owned_frame> frames;
    for (int i = 0; i < 20; ++i) frames.push_back(drawn_frame(kind::message, random, true, 1000));
    for (owned_frame& o : frames) o.view();
    for (const codec_id id : {codec_id::flatbuffers, codec_id::json}) {
        frame_writer writer;
        writer.use(id);
        frame_reader reader({}, bit_of(codec_id::flatbuffers));
        byte_buffer out;
        std::size_t before = 0, seen = 0;
        for (int round = 0; round < 4; ++round) {
            if (round == 2) before = allocations;
            for (const std::size_t piece : {1, 7, 64, 1000, 100'000}) {
                out.clear();
                for (const owned_frame& o : frames) writer.write(o.f, out);
                for (std::size_t at = 0; at < out.size(); at += piece) {
                    reader.feed(out.bytes().subspan(at, std::min(piece, out.size() - at)));
                    while (reader.next()) ++seen;
                }
            }
        }
        const std::size_t after = allocations;
        CHECK(after - before == 0);
        CHECK(seen == 4 * 5 * frames.size());
    }
}

TEST_CASE("memory is taken for bytes that have come, not for a length that was announced") {
    const limits most{};
    const auto header = header_of(most.max_frame, codec_id::json);
    frame_splitter splitter(most);
    splitter.feed(header);
    const std::size_t before = allocations;
    CHECK(!splitter.next());
    const std::size_t after = allocations;
    CHECK(after - before <= 1);
}

TEST_CASE("the allocation counter counts") {
    const std::size_t before = allocations;
    const std::string text(1000, 'x');
    CHECK(allocations == before + 1);
    CHECK(text.size() == 1000);
}
