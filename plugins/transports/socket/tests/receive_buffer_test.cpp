#include "receive_buffer.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <string_view>
#include <thread>

using chimera::socket::receive_buffer;

namespace {

void receive(receive_buffer& b, std::string_view bytes) {
    std::memcpy(b.room(1024), bytes.data(), bytes.size());
    b.received(bytes.size());
}
std::string unparsed(receive_buffer& b) { return {b.unparsed().data(), b.unparsed().size()}; }

} // namespace

TEST_CASE("bytes that are not parsed stay in front of what comes next") {
    receive_buffer b;
    receive(b, "abcdef");
    b.consumed(4);
    receive(b, "gh");
    CHECK(unparsed(b) == "efgh");
}

TEST_CASE("who has parsed everything, or all but a line end, leaves its memory to the next on the thread") {
    receive_buffer first, second;
    receive(first, "abcdef\r\n");
    const char* const memory = first.unparsed().data();
    first.consumed(6);
    first.give_back();
    CHECK_FALSE(first.empty());
    CHECK(second.room(1024) == memory);
    second.received(0);
    CHECK(second.empty());

    receive(first, "gh");
    CHECK(unparsed(first) == "\r\ngh");
    CHECK(first.unparsed().data() != memory);
}

TEST_CASE("who has more unparsed keeps its memory") {
    receive_buffer first, second;
    receive(first, "123456789");
    const char* const memory = first.unparsed().data();
    first.give_back();
    CHECK(second.room(1024) != memory);
    CHECK(unparsed(first) == "123456789");
}

TEST_CASE("memory is left to the thread that gives back, whoever took it") {
    receive_buffer moving;
    receive(moving, "abc");
    const char* const memory = moving.unparsed().data();
    std::thread([&] {
        moving.consumed(3);
        moving.give_back();
        receive_buffer here;
        CHECK(here.room(1024) == memory);
    }).join();
    receive(moving, "d");
    CHECK(unparsed(moving) == "d");
}

TEST_CASE("memory that a single large message needed is not kept") {
    receive_buffer b, next;
    receive(b, std::string(1024, 'x'));
    for (int i = 0; i < 100; ++i) receive(b, std::string(1024, 'x')); // nothing of it parsed: it grows
    const char* const large = b.unparsed().data();
    b.consumed(b.unparsed().size());
    b.give_back();
    CHECK(b.empty());
    CHECK(next.room(1024) != large);
}

TEST_CASE("memory that is too small for what is to be received is replaced") {
    receive_buffer small, large;
    receive(small, "a");
    small.consumed(1);
    small.give_back();
    std::memset(large.room(100'000), 'x', 100'000);
    large.received(100'000);
    CHECK(unparsed(large) == std::string(100'000, 'x'));
}
