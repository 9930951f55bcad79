#include "questions/formula.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace chimera::host;

namespace {

double value(const std::string& text) {
    formula_fault fault;
    names_in(text, &fault);
    REQUIRE_MESSAGE(fault.what.empty(), text, ": ", fault.what);
    const std::map<std::string, double> known{{"a", 6}, {"b.c", 2}, {"peak.smol-1kb", 96.3}, {"x_1", -4}};
    const auto result = evaluate(text, [&](const std::string& name) { return known.at(name); });
    REQUIRE_MESSAGE(result, text);
    return *result;
}

std::string fault_of(const std::string& text) {
    formula_fault fault;
    CHECK(names_in(text, &fault).empty());
    return std::to_string(fault.column) + ": " + fault.what;
}

} // namespace

TEST_CASE("arithmetic has its usual order") {
    CHECK(value("1 + 2 * 3") == 7);
    CHECK(value("(1 + 2) * 3") == 9);
    CHECK(value("10 - 2 - 3") == 5);
    CHECK(value("12 / 2 / 3") == 2);
    CHECK(value("2 ^ 3 ^ 2") == 512);
    CHECK(value("-2 ^ 2") == -4);
    CHECK(value("2 ^ -1") == 0.5);
    CHECK(value("--3") == 3);
    CHECK(value("1e3 + .5") == 1000.5);
    CHECK(value("sqrt(a + 3) + abs(x_1) + min(1, 2, 0.5) + max(7, a)") == 14.5);
    CHECK(value("a/b.c") == 3);
    CHECK(value("'peak.smol-1kb' - 95.7") == doctest::Approx(0.6));
}

TEST_CASE("names are found once each, in their order") {
    formula_fault fault;
    CHECK(names_in("b.c * a - a + 'c d'", &fault) == std::vector<std::string>{"b.c", "a", "c d"});
    CHECK(names_in("sqrt(2)", &fault).empty());
}

TEST_CASE("a fault has its column and what to do") {
    CHECK(fault_of("") == "1: ends where a number or a name is expected");
    CHECK(fault_of("1 +") == "4: ends where a number or a name is expected");
    CHECK(fault_of("(1 + 2") == "7: a ')' is missing");
    CHECK(fault_of("1 2") == "3: '2' is not expected here; write an operator");
    CHECK(fault_of("a # b") == "3: '#' is not expected here; write an operator");
    CHECK(fault_of("* 2") == "1: '*' is not expected here; write a number, a name or '('");
    CHECK(fault_of("'open") == "1: the name has no closing quote");
    CHECK(fault_of("log(2)") == "1: 'log' is no function; there are sqrt, abs, min and max");
    CHECK(fault_of("sqrt(1, 2)") == "1: sqrt takes one number");
    CHECK(fault_of("1..2 + .") == "3: '.' is not expected here; write an operator");
    CHECK(fault_of(".") == "1: is not a number");
}

TEST_CASE("deep nesting is refused, not followed") {
    CHECK(fault_of(std::string(100'000, '(')).ends_with("is nested more than 100 deep"));
    std::string powers = "2";
    for (int i = 0; i < 100'000; ++i) powers += "^2";
    CHECK(fault_of(powers).ends_with("is nested more than 100 deep"));
}

TEST_CASE("what is not finite is nothing") {
    const auto none = [](const std::string&) { return 0.0; };
    CHECK_FALSE(evaluate("1 / a", none));
    CHECK_FALSE(evaluate("sqrt(0 - 1)", none));
    CHECK_FALSE(evaluate("1e300 * 1e300", none));
}
