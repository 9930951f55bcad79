#include "written.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;
using namespace chimera::test;

namespace {

/// The faults of one claim with this statement and these lines.
std::string of_claim(const std::string& lines) {
    return faults_in("[[claims]]\nid = \"c\"\nstatement = \"s\"\n" + lines);
}

} // namespace

TEST_CASE("a claim has the tolerance of its digits, unless it states one") {
    const question_set q = questions_in(R"(
[[claims]]
statement = "peak"
metric = "efficiency_pct"
aggregate = "max"
of = "smol/homo*"
value = 96.3
[[claims]]
statement = "whole"
metric = "ttft_ms_p50"
of = "smol"
value = 603
[[claims]]
statement = "stated"
metric = "efficiency_pct"
of = "smol"
value = 50.0
tolerance = 0.2
[[claims]]
statement = "a zero is a digit"
metric = "efficiency_pct"
over = "configurations"
of = "smol"
value = 50.0
)");
    REQUIRE(q.claims.size() == 4);
    CHECK(q.claims[0].tolerance == doctest::Approx(0.05));
    CHECK(q.claims[0].by == measure{aggregate::max, sample_unit::runs});
    CHECK(q.claims[0].of == std::vector<std::string>{"smol/homo*"});
    CHECK(q.claims[0].id == "1");
    CHECK(q.claims[1].tolerance == 0.5);
    CHECK(q.claims[2].tolerance == 0.2);
    CHECK(q.claims[3].tolerance == doctest::Approx(0.05));
    CHECK(q.claims[3].by.over == sample_unit::configurations);
}

TEST_CASE("a column is a claim for each of its members") {
    const question_set q = questions_in(R"(
[[references]]
name = "before"
value = 95.7
what = "the last report"
[[claims]]
id = "gain"
statement = "Gain"
metric = "efficiency_pct"
reference = "before"
differences = { smol = 0.6, "tokio/homo" = -2 }
)");
    REQUIRE(q.claims.size() == 2);
    CHECK(q.claims[0].id == "gain.smol");
    CHECK(q.claims[0].statement == "Gain: smol");
    CHECK(q.claims[0].kind == claim_kind::difference);
    CHECK(q.claims[1].a == "tokio/homo");
    CHECK(q.claims[1].reference->value == 95.7);
    CHECK(q.claims[1].tolerance == 0.5);
    CHECK(*q.claims[1].published == -2);
}

TEST_CASE("a formula knows claims, references and the inputs of [cost]") {
    const question_set q = questions_in(R"(
[[references]]
name = "before"
value = 90
what = "the last report"
[[claims]]
id = "gain"
statement = "in percent"
formula = "('peak.smol-1kb' - before) / before * 100 + extra + monthly_bill"
value = 7
[[claims]]
id = "peak"
statement = "Peak"
metric = "efficiency_pct"
values = { smol-1kb = 96.3 }
[cost]
monthly_bill = 5
[cost.inputs]
extra = 1
)");
    using inputs = std::vector<std::pair<std::string, double>>;
    CHECK(q.claims[0].inputs == inputs{{"peak.smol-1kb", 96.3}, {"before", 90}, {"extra", 1}, {"monthly_bill", 5}});
}

TEST_CASE("every kind reads") {
    const question_set q = questions_in(R"(
[[claims]]
statement = "all are near"
metric = "efficiency_pct"
between = [95, 96]
of = ["a", "b"]
[[claims]]
statement = "faster"
metric = "throughput_tok_s"
change_pct = 15.3
a = "a"
b = "b"
[[claims]]
statement = "ratio"
metric = "throughput_tok_s"
ratio = 1.2
a = "a"
reference = 100
[[claims]]
statement = "speedup"
metric = "efficiency_pct"
of = "a"
speedup = 1.9
[[claims]]
statement = "effect"
metric = "efficiency_pct"
a = "a"
b = "b"
cohens_d = 0.18
[[claims]]
statement = "stable"
metric = "efficiency_pct"
order = "most_stable"
of = "a/x"
[[claims]]
statement = "in order"
metric = "efficiency_pct"
ranking = ["a", "b"]
order = "lowest"
[[claims]]
statement = "equivalent"
metric = "efficiency_pct"
test = "equivalent"
margin = 1
of = ["a", "b", "c"]
[[claims]]
statement = "rate"
metric = "tokens_per_second_mean"
of = "a"
baseline = "default"
success_rate_pct = 72.2
)");
    REQUIRE(q.claims.size() == 9);
    CHECK(q.claims[0].high == 96);
    CHECK(q.claims[2].reference->name == "100");
    CHECK(q.claims[5].by.how == aggregate::sd);
    CHECK(q.claims[6].place == place_in_order::lowest);
    CHECK(q.claims[7].says == relation::equivalent);
    CHECK(q.claims[8].baseline == "default");
    // As it is kept in sweep.json.
    CHECK(to_json(from_json<question_set>(to_json(q), "q")) == to_json(q));
}

TEST_CASE("a claim that cannot be checked is refused with its place and what to do") {
    CHECK(of_claim("") ==
          "q.toml:1:1: claims.c: says nothing that can be checked; give one of: formula, value, values, between, "
          "difference, differences, change_pct, ratio, speedup, speedups, cohens_d, ranking, order, test, "
          "success_rate_pct");
    CHECK(of_claim("value = 1\nspeedup = 2\nmetric = \"efficiency_pct\"\nof = \"a\"") ==
          "q.toml:1:1: claims.c: says several things: value, speedup; make a claim of each");
    CHECK(of_claim("value = 1\nof = \"a\"") == "q.toml:1:1: claims.c: has no metric; give it: metric = \"...\"");
    CHECK(of_claim("value = 1\nof = \"a\"\nmetric = \"eficiency_pct\"") ==
          "q.toml:6:10: claims.c.metric: \"eficiency_pct\" is no metric; did you mean \"efficiency_pct\"?");
    CHECK(of_claim("value = 1\nmetric = \"efficiency_pct\"") ==
          "q.toml:1:1: claims.c: does not say of what; give a runtime: of = \"...\"");
    CHECK(of_claim("value = \"1\"\nmetric = \"efficiency_pct\"\nof = \"a\"") ==
          "q.toml:4:9: claims.c.value: is a string; give a number");
    CHECK(of_claim("value = inf\nmetric = \"efficiency_pct\"\nof = \"a\"") ==
          "q.toml:4:9: claims.c.value: is not finite, or too large; give a number");
    CHECK(of_claim("value = 1\nmetric = \"efficiency_pct\"\nof = \"a//b\"") ==
          "q.toml:6:6: claims.c.of: \"a//b\" names no runs; write \"runtime\", \"runtime/configuration\" or "
          "\"*/configuration\"");
    CHECK(of_claim("value = 1\nmetric = \"efficiency_pct\"\nof = \"a\"\naggregate = \"maximum\"")
              .starts_with("q.toml:7:13: claims.c.aggregate: \"maximum\" is not known; "));
    CHECK(of_claim("value = 1\nmetric = \"efficiency_pct\"\nof = \"a\"\ntolerance = -1") ==
          "q.toml:7:13: claims.c.tolerance: is -1; give a number above 0, or 0");
    CHECK(of_claim("value = 1\nmetric = \"efficiency_pct\"\nof = \"a\"\nlevel = 0.1")
              .starts_with("q.toml:7:9: claims.c.level: has no meaning beside value; leave it out"));
    CHECK(of_claim("value = 1\nmetric = \"efficiency_pct\"\nof = \"a\"\ntolerence = 0.1") ==
          "q.toml:7:1: claims.c.tolerence: unknown key; did you mean \"tolerance\"?");
    CHECK(faults_in("[[claims]]\nvalue = 1\nmetric = \"efficiency_pct\"\nof = \"a\"") ==
          "q.toml:1:1: claims.1: has no statement; give it: statement = \"...\"");
}

TEST_CASE("faults of each kind") {
    const std::string metric = "metric = \"efficiency_pct\"\n";
    CHECK(of_claim(metric + "difference = 1\na = \"a\"") == "q.toml:1:1: claims.c: has nothing to compare with; give "
                                                            "either b (a runtime) or reference (a published value)");
    CHECK(of_claim(metric + "difference = 1\na = \"a\"\nb = \"a\"") ==
          "q.toml:7:5: claims.c.b: is the same as a; give another one");
    CHECK(of_claim(metric + "difference = 1\na = \"a\"\nb = \"b\"\nreference = 1") ==
          "q.toml:1:1: claims.c: has both b and reference; give one");
    CHECK(
        of_claim(metric + "difference = 1\na = \"a\"\nreference = \"TR114\"") ==
        "q.toml:7:13: claims.c.reference: \"TR114\" is no reference; describe it in [[references]], or give a number");
    CHECK(of_claim(metric + "between = [1]\nof = \"a\"") ==
          "q.toml:5:11: claims.c.between: is not a range; give two numbers: between = [95, 96]");
    CHECK(of_claim(metric + "between = [2, 1]\nof = \"a\"") ==
          "q.toml:5:11: claims.c.between: begins above its end; give the lower number first");
    CHECK(of_claim(metric + "order = \"first\"\nof = \"a\"")
              .starts_with("q.toml:5:9: claims.c.order: \"first\" is not known"));
    CHECK(of_claim(metric + "ranking = [\"a\"]") ==
          "q.toml:5:11: claims.c.ranking: has one member; give two or more, from the first place on");
    CHECK(of_claim(metric + "test = \"equivalent\"\na = \"a\"\nb = \"b\"") ==
          "q.toml:1:1: claims.c: is about equivalence and has no margin; give the largest difference that does not "
          "matter: margin = ...");
    CHECK(of_claim(metric + "test = \"higher\"\nof = [\"a\", \"b\"]") ==
          "q.toml:6:6: claims.c.of: several are compared by no_difference and equivalent; otherwise give a and b");
    CHECK(of_claim(metric + "test = \"higher\"\na = \"a\"\nreference = 1\nby = \"ranks\"") ==
          "q.toml:8:6: claims.c.by: ranks need two samples; a reference is tested by welch (there: Student's test)");
    CHECK(of_claim(metric + "test = \"no_difference\"\na = \"a\"\nb = \"b\"\nmargin = 5")
              .starts_with("q.toml:8:10: claims.c.margin: has no effect on no_difference; "));
    CHECK(of_claim(metric + "test = \"higher\"\na = \"a\"\nb = \"b\"\nlevel = 5") ==
          "q.toml:8:9: claims.c.level: is 5; give a number below 1, such as 0.05");
    CHECK(of_claim("metric = \"wall_ms\"\nsuccess_rate_pct = 50\nof = \"a\"") ==
          "q.toml:1:1: claims.c: has no baseline; give it: baseline = \"...\"");
    CHECK(of_claim("metric = \"imbalance_pct\"\nsuccess_rate_pct = 50\nof = \"a\"\nbaseline = \"d\"") ==
          "q.toml:4:10: claims.c.metric: has no better way; a success rate needs one");
    CHECK(of_claim(metric + "values = {}") ==
          "q.toml:5:10: claims.c.values: is empty; give at least one member, or leave the key out");
    CHECK(of_claim(metric + "values = { a = \"x\" }") == "q.toml:5:12: claims.c.values.a: is a string; give a number");
    CHECK(of_claim("formula = \"1 +\"\nvalue = 1") ==
          "q.toml:4:11: claims.c.formula: column 4: ends where a number or a name is expected");
    CHECK(of_claim("formula = \"c + 1\"\nvalue = 1") ==
          "q.toml:4:11: claims.c.formula: names its own claim; name others");
    CHECK(of_claim("formula = \"d + 1\"\nvalue = 1") ==
          "q.toml:4:11: claims.c.formula: \"d\" is no figure of this file; "
          "name a claim, a reference or an input of [cost]");
    CHECK(of_claim("formula = \"1\"") ==
          "q.toml:1:1: claims.c: has a formula and no value; give the published figure: value = ...");
    CHECK(faults_in("[[claims]]\nid = \"a\"\nstatement = \"s\"\nformula = \"1\"\nvalue = 1\n"
                    "[[claims]]\nid = \"a\"\nstatement = \"s\"\nformula = \"1\"\nvalue = 1") ==
          "q.toml:6:1: claims.a: there is another claim of this id; give each its own");
    CHECK(faults_in("[claims]\nid = \"a\"") == "q.toml:1:1: claims: is a table; write [[claims]] for each");
    CHECK(faults_in("claims = [1]") == "q.toml:1:11: claims.1: is an integer; give a table");
}
