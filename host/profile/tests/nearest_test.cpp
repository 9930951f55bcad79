#include "profile/nearest.hpp"
#include <doctest/doctest.h>
#include <vector>

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
