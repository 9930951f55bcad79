// The first sentence, the table of decisions and the order of time, on studies of every shape.
#include "made_study.hpp"
#include "study/report.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;
using namespace chimera::test;

namespace {

study_report report_on(const study& s) { return chimera::host::report_of(s, "chimera-host test"); }

std::string first_sentence(const study& s) { return report_on(s).answer.sentences.at(0); }

standing standing_in(const study& s, const std::string& metric, const std::string& runtime) {
    for (const decision_row& row : decisions_of(s, {}))
        if (row.metric == metric) return std::ranges::find(row.cells, runtime, &decision_cell::runtime)->stands;
    FAIL("no row of " << metric);
    return {};
}

/// The runs were measured in this order of runtimes.
study in_order(const std::string& order) {
    made_study m;
    std::map<char, std::vector<double>> values;
    for (const char runtime : order) values[runtime].push_back(90 + static_cast<double>(values[runtime].size() % 3));
    for (const auto& [runtime, all] : values) m.add(std::string(1, runtime), "x", all);
    study s = m.study();
    std::map<std::string, int> seen;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const std::string runtime(1, order[i]);
        const int number = ++seen[runtime];
        for (study_run& r : s.runs)
            if (r.runtime == runtime && r.number == number) r.order = i;
    }
    return s;
}

} // namespace

TEST_CASE("the answer says which runtimes it could judge") {
    made_study m;
    m.add("fast", "x", {97, 97.2, 97.1, 96.9, 97.3}).add("slow", "x", {90, 90.2, 90.1, 89.9, 90.3});
    CHECK(first_sentence(m.study()).starts_with("Use fast: "));
    m.add("few", "x", {97});
    const study_report with_few = report_on(m.study());
    CHECK(with_few.answer.use == std::vector<std::string>{"fast"});
    CHECK(with_few.answer.sentences[0].find("; few has too few runs to tell") != std::string::npos);
    made_study alone;
    alone.add("only", "x", {97, 98});
    CHECK(first_sentence(alone.study()).starts_with("The only runtime is only: parallel efficiency 97.5 %"));
    alone.add("only", "default", {95, 96});
    CHECK(first_sentence(alone.study())
              .ends_with("; against default the best configuration changes parallel efficiency by +2.1 %."));
    alone.study().runtimes.push_back({"failed", {}, {}, {}, {}});
    CHECK(first_sentence(alone.study()).starts_with("Only one runtime can be judged, only: "));
    made_study two;
    two.add("a", "x", {97}).add("b", "x", {90});
    CHECK(first_sentence(two.study()).starts_with("Too few runs to say which of a and b to use: "));
    CHECK(report_on(two.study()).answer.use.empty());
}

// Welch's p of the two is between 0.025 and 0.05: one pair needs no correction.
TEST_CASE("a decision is corrected for the other runtimes, not for the best one") {
    made_study m;
    m.add("a", "x", {95, 97, 96, 98, 94, 96}).add("b", "x", {93, 95, 94, 96, 92.4, 94});
    CHECK(standing_in(m.study(), "efficiency_pct", "a") == standing::best);
    CHECK(standing_in(m.study(), "efficiency_pct", "b") == standing::worse);
}

TEST_CASE("times are compared by medians and ranks: one slow run decides nothing") {
    made_study m("ttft_ms_p50");
    m.add("steady", "x", {700, 701, 702, 703, 704, 705, 706, 707})
        .add("fast", "x", {600, 601, 602, 603, 604, 605, 606, 9000});
    CHECK(standing_in(m.study(), "ttft_ms_p50", "fast") == standing::best);
    CHECK(standing_in(m.study(), "ttft_ms_p50", "steady") == standing::worse);
    made_study none("itl_ms_p50");
    none.add("a", "x", {0, 0, 0, 0, 0}).add("b", "x", {20, 21, 22, 23, 24}).add("c", "x", {0, 0, 0, 0, 0});
    CHECK(standing_in(none.study(), "itl_ms_p50", "b") == standing::worse);
    CHECK(standing_in(none.study(), "itl_ms_p50", "c") == standing::tied);
}

TEST_CASE("runtimes that alternate seldom ran one after another, as far as a drift goes") {
    CHECK(order_of(in_order("aaaabbbb")).one_after_another == true);
    CHECK(order_of(in_order("aabb")).one_after_another == true);
    CHECK(order_of(in_order("aaaaaaaabbbbbbbbaaaaaaaabbbbbbbb")).one_after_another == true);
    CHECK(order_of(in_order("abba")).one_after_another == false);
    CHECK(order_of(in_order("abbabaabbaab")).one_after_another == false);
    CHECK(!order_of(in_order("ab")).one_after_another);
}

TEST_CASE("a difference between configurations that ran in blocks is not taken for a drift") {
    made_study m;
    m.add("a", "slow", {90, 91, 90, 91, 90, 91}).add("a", "fast", {97, 98, 97, 98, 97, 98});
    study s = m.study();
    for (std::size_t i = 0; i < s.runs.size(); ++i) s.runs[i].order = i;
    const order_report o = order_of(s);
    REQUIRE(o.drift.size() == 1);
    CHECK(o.drift[0].p > 0.05);
}
