#include "profile/document.hpp"
#include "test_schema.hpp"

using namespace chimera::host;
using namespace test_schema;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string times(std::size_t n, const std::string& piece) {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out += piece;
    return out;
}

bool is_too_deep(const std::string& toml) { return find_too_deep(toml).line != 0; }

} // namespace

TEST_CASE("what is too deep is named with its place") {
    const deep_place at = find_too_deep("a = 1\nb = " + times(101, "[") + times(101, "]") + "\n");
    CHECK(at.line == 2);
    CHECK(at.column == 5 + 100);
    CHECK_FALSE(is_too_deep("b = " + times(100, "[") + times(100, "]") + "\n"));
    CHECK(is_too_deep(times(101, "a.") + "a = 1\n"));
    CHECK(is_too_deep("[" + times(101, "a.") + "a]\n"));
    CHECK(is_too_deep("[[" + times(60, "a.") + "a]]\n" + times(60, "a.") + "a = 1\n")); // together
    CHECK(is_too_deep("b = " + times(20, "{ a.a.a.a.a.a = ") + "1" + times(20, " }") + "\n"));
}

TEST_CASE("what only looks deep is not") {
    CHECK_FALSE(is_too_deep("a = \"" + times(200, "[.{") + "\\\"" + times(200, ".") + "\"\n"));
    CHECK_FALSE(is_too_deep("a = '" + times(200, "[.") + "'\n"));
    CHECK_FALSE(is_too_deep("a = \"\"\"\n" + times(200, "[.\n\" ") + "\"\"\"\n"));
    CHECK_FALSE(is_too_deep("a = '''" + times(200, "[.' ") + "'''\n"));
    CHECK_FALSE(is_too_deep("# " + times(200, "[.") + "\na = 1"));
    CHECK_FALSE(is_too_deep(times(200, "[a.b]\nc.d = [1.5, 2.5]\n")));
    CHECK_FALSE(is_too_deep("a = [" + times(200, "1.5, [2.5], { b.c = 1 }, ") + "]\n"));
}

TEST_CASE("a deep profile is refused, whichever way it is deep") {
    for (const std::string& deep :
         {"[backend.body]\n" + times(50'000, "a.") + "a = 1\n", "[backend]\nbody = " + times(50'000, "{ a = ") + "1\n",
          "[backend.body]\nx = " + times(50'000, "["), "[" + times(50'000, "a.") + "a]\n"})
        CHECK(has(faults(smallest + deep), "more than 100 levels of tables, arrays and parts of keys"));
    const std::string said = faults_of_sets(smallest, {times(50'000, "a.") + "a=1"});
    CHECK(has(said, "the key has more than 100 levels"));
    CHECK(said.size() < 1000);                                                      // the argument is not said in full
    CHECK(faults_of_sets(smallest, {"description=" + times(200, "a.b ")}).empty()); // a text
    CHECK(faults_of_sets(smallest, {"backend.body.x=" + times(50'000, "[")}).empty());
}

TEST_CASE("only what can be written again is taken") {
    CHECK(has(faults_of_sets(smallest, {"description=\xff"}), "is not UTF-8"));
    CHECK(has(faults_of_sets(smallest, {"backend.body.x=\xff"}), "is not UTF-8"));
    profile_overrides overrides;
    overrides.model = "\xff";
    CHECK(has(faults(smallest, overrides), "is not UTF-8"));
    CHECK(has(faults(smallest + "[backend.body]\nx = nan\n"), "is not a finite number, and JSON has only finite ones"));
    CHECK(has(faults(smallest + "[backend.body]\nx = { y = [1, -inf] }\n"), "is not a finite number"));
}

TEST_CASE("a profile is written so that it acts on no terminal, and means the same") {
    const std::string escaped = R"(\u001B]0;t\u0007 \u0085\u202E\U000E0041 é東)";
    const profile p = parse("description = \"" + escaped + "\"\n" + smallest);
    CHECK(p.description == "\x1b]0;t\x07 \u0085\u202e\U000E0041 é東");
    const std::string written = to_toml(p);
    CHECK(has(written, escaped));
    CHECK(parse(written).description == p.description);
}
