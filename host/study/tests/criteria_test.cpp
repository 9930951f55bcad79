#include "made_study.hpp"
#include "study/criteria.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;
using namespace chimera::test;

namespace {

study two_runtimes() {
    made_study m;
    m.add("fast", "x", {92, 94, 93, 95, 91, 93.5}).add("fast", "y", {96, 97, 98});
    m.add("slow", "x", {88, 90, 87.5, 91, 89, 90.5});
    return m.study();
}

judged_criterion judged(study s, const criterion_spec& c) {
    question_set q;
    q.criteria = {c};
    s.questions = {q};
    return criteria_of(s)[0];
}

criterion_spec peak(double at_least) {
    criterion_spec c;
    c.id = "peak";
    c.statement = "s";
    c.metric = "efficiency_pct";
    c.by = {aggregate::max, sample_unit::configurations};
    c.at_least = at_least;
    return c;
}

} // namespace

TEST_CASE("each runtime clears a bar or misses it, by so much") {
    const judged_criterion c = judged(two_runtimes(), peak(97));
    REQUIRE(c.rows.size() == 2);
    CHECK(*c.rows[0].value == 97); // exactly on it
    CHECK(c.rows[0].met == true);
    CHECK(*c.rows[1].over == doctest::Approx(89.33333333333333 - 97));
    CHECK(c.rows[1].met == false);
    CHECK(c.met == true);
    CHECK(c.about == "efficiency_pct, highest configuration mean: at least 97 %, by any");
    CHECK(c.words == "Met: 1 of 2 clears the bar; the first, fast is 0 points over it.");
}

TEST_CASE("every runtime, those named, and a bar from above") {
    criterion_spec c = peak(97);
    c.every = true;
    CHECK(judged(two_runtimes(), c).met == false);
    CHECK(judged(two_runtimes(), c).words ==
          "Missed: 1 of 2 clears the bar; the last, slow is 7.667 points short of it.");
    c.of = {"fast"};
    CHECK(judged(two_runtimes(), c).met == true);
    c.at_least.reset();
    c.at_most = 96;
    CHECK(*judged(two_runtimes(), c).rows[0].over == -1);
    CHECK(judged(two_runtimes(), c).words == "Missed: 0 of 1 clear the bar; the last, fast is 1 point above it.");
    c.at_most = 98;
    CHECK(judged(two_runtimes(), c).words == "Met: 1 of 1 clears the bar; the last, fast is 1 point below it.");
    c.of = {"fast", "none"};
    CHECK(!judged(two_runtimes(), c).met); // whether every one does, nobody knows
    CHECK(judged(two_runtimes(), c).words.starts_with("Not derivable: the study has no runtime \"none\""));
    c.every = false;
    CHECK(judged(two_runtimes(), c).met == true);
    c.of = {"none"};
    CHECK(!judged(two_runtimes(), c).met);
    CHECK(judged(two_runtimes(), c).words.starts_with("Not derivable: the study has no runtime \"none\""));
}

TEST_CASE("above a reference is a test, corrected over the runtimes") {
    criterion_spec c = peak(0);
    c.at_least.reset();
    c.by = {};
    c.of = {"fast/x", "slow"};
    c.above = reference_value{"before", 92};
    const judged_criterion above = judged(two_runtimes(), c);
    CHECK(*above.rows[0].p_holm ==
          doctest::Approx(2 * 0.06120975113028626).epsilon(1e-9)); // SciPy's one-sided p, twice
    CHECK(above.met == false);
    CHECK(above.words.ends_with(" over it, but not by more than chance."));
    c.above->value = 90;
    CHECK(judged(two_runtimes(), c).met == true);
}

TEST_CASE("a reference is held against every runtime that has its metric") {
    study s = two_runtimes();
    question_set q;
    q.references = {{"before", 92, "the last one", "efficiency_pct"}, {"named only", 1, "w", ""}};
    s.questions = {q};
    const auto all = references_of(s);
    REQUIRE(all.size() == 1);
    REQUIRE(all[0].rows.size() == 2);
    const reference_row& slow = all[0].rows[1];
    CHECK(slow.gap == doctest::Approx(89.33333333333333 - 92));
    CHECK(slow.gap_of_best_run == -1);
    CHECK(all[0].rows[0].gap_of_best_config == 5);
    CHECK(slow.p_holm);
    CHECK(all[0].unit_of_gap == "points");
    CHECK(to_json(all)[0]["rows"][1]["ci95"].size() == 2);
}
