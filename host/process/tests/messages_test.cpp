#include "process/messages.hpp"

#include <doctest/doctest.h>

#include <vector>

#include <sys/resource.h>

using namespace chimera::host;

TEST_CASE("the distance counts insertions, deletions, replacements and swaps of neighbours") {
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("fiber", "fibre") == 1);
    CHECK(edit_distance("plgin", "plugin") == 1);
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(edit_distance("ca", "abc") == 3); // restricted: no letter is edited twice
}

TEST_CASE("a near word is suggested, otherwise all are named") {
    const std::vector<std::string> known = {"executor", "transport", "backend"};
    CHECK(suggest("exectuor", known) == "did you mean \"executor\"?");
    CHECK(suggest("zzz", known) == "known: \"executor\", \"transport\", \"backend\"");
    CHECK(suggest(std::string(100'000, 'x'), known).starts_with("known: "));
    CHECK(suggest("x", {}).empty());
    CHECK(suggest("b", std::vector<std::string>{"a"}) == "known: \"a\""); // every one-letter word is near another
}

TEST_CASE("of many words the nearest are named, and the others counted") {
    std::vector<std::string> known;
    for (int i = 0; i < 30; ++i) known.push_back("some_plugin_" + std::to_string(i));
    known.push_back("zz");
    const auto text = suggest("zzzzzz", known);
    CHECK(text.starts_with("known: \"zz\", \"some_plugin_0\", "));
    CHECK(text.ends_with("\", and 19 more"));
    CHECK(suggest(std::string(100'000, 'x'), known).size() < 300);
}

TEST_CASE("a message of a resource that ran out names the limit of this process") {
    CHECK(with_limit("x: No space left on device") == "x: No space left on device");
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit few{64, before.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
    CHECK(with_limit("pipe2: Too many open files") == "pipe2: Too many open files (ulimit -n allows 64 open files)");
    setrlimit(RLIMIT_NOFILE, &before);
}
