#include "made_study.hpp"
#include "study/hypotheses.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;
using namespace chimera::test;

namespace {

/// The same samples as in claims_test; SciPy's figures are of these.
made_study samples() {
    made_study m;
    m.add("fast", "x", {92, 94, 93, 95, 91, 93.5}).add("slow", "x", {88, 90, 87.5, 91, 89, 90.5});
    m.add("same", "x", {92.5, 93.5, 93, 94.5, 91.5, 94});
    return m;
}

hypothesis_spec hypothesis(const char* a, const char* b, relation direction, double margin = 0) {
    hypothesis_spec h;
    h.id = "H";
    h.statement = "s";
    h.metric = "efficiency_pct";
    h.a = a;
    h.b = b;
    h.direction = direction;
    h.margin = margin;
    return h;
}

std::vector<judged_hypothesis> judged(study s, std::vector<hypothesis_spec> hypotheses) {
    question_set q;
    q.source = "file.toml";
    q.hypotheses = std::move(hypotheses);
    s.questions = {q};
    return hypotheses_of(s);
}

judged_hypothesis judged_alone(const study& s, const hypothesis_spec& h) { return judged(s, {h})[0]; }

} // namespace

// SciPy 1.10: ttest_ind(..., equal_var=False, alternative=...) of shifted samples; noncentral t for power; statsmodels'
// multipletests for Holm.
TEST_CASE("p, Holm's correction, power and the detectable difference are SciPy's") {
    const auto all = judged(samples().study(), {hypothesis("fast", "slow", relation::higher, 1),
                                                hypothesis("fast", "same", relation::equivalent, 2)});
    const judged_hypothesis& higher = all[0];
    CHECK(*higher.p == doctest::Approx(0.003595290256048795).epsilon(1e-9));
    CHECK(*higher.p_holm == doctest::Approx(2 * 0.003595290256048795).epsilon(1e-9));
    CHECK(*higher.p_against == doctest::Approx(0.9964047097439512).epsilon(1e-9));
    CHECK(*higher.p_means == doctest::Approx(0.000999187518996846).epsilon(1e-9));
    CHECK(*higher.p_ranks == doctest::Approx(0.004329004329004329).epsilon(1e-9));
    CHECK(*higher.level == 0.025);
    CHECK(*higher.power == doctest::Approx(0.19831979267811595).epsilon(1e-7)); // of a point beyond the margin
    CHECK(*higher.detectable == doctest::Approx(1 + 2.5420226589072383).epsilon(1e-6));
    CHECK(higher.verdict == hypothesis_verdict::supported);
    CHECK(higher.words.starts_with(
        "fast is higher than slow by more than 1 point (difference of the means +3.75 points, "));
    const judged_hypothesis& equivalent = all[1];
    CHECK(*equivalent.p == doctest::Approx(0.0135120520397329).epsilon(1e-9));
    CHECK(*equivalent.p_holm == *equivalent.p);
    CHECK(*equivalent.p_against == 1);
    CHECK(*equivalent.power == doctest::Approx(0.37346079425161194).epsilon(1e-7));
    const judged_hypothesis wide =
        judged(samples().study(), {hypothesis("fast", "slow", relation::higher, 1),
                                   hypothesis("fast", "same", relation::equivalent, *equivalent.detectable)})[1];
    CHECK(*wide.power == doctest::Approx(0.8).epsilon(1e-6));
    CHECK(equivalent.verdict == hypothesis_verdict::supported);
    CHECK(equivalent.source == "file.toml");
}

TEST_CASE("the opposite of a hypothesis refutes it") {
    const study s = samples().study();
    const judged_hypothesis reversed = judged_alone(s, hypothesis("fast", "slow", relation::lower));
    CHECK(reversed.verdict == hypothesis_verdict::refuted);
    CHECK(*reversed.p_against == doctest::Approx(0.000499593759498423).epsilon(1e-9));
    CHECK(reversed.words.starts_with("fast is higher than slow ("));
    // 3.75 points are shown to be fewer than 6.
    const judged_hypothesis too_much = judged_alone(s, hypothesis("fast", "slow", relation::higher, 6));
    CHECK(too_much.verdict == hypothesis_verdict::refuted);
    CHECK(*too_much.p_against == doctest::Approx(0.010192955366078409).epsilon(1e-9));
    CHECK(too_much.words.starts_with("fast is not higher than slow by 6 points ("));
    CHECK(judged_alone(s, hypothesis("fast", "slow", relation::equivalent, 1)).verdict == hypothesis_verdict::refuted);
    CHECK(judged_alone(s, hypothesis("fast", "same", relation::different, 2)).verdict == hypothesis_verdict::refuted);
    CHECK(judged_alone(s, hypothesis("fast", "slow", relation::different)).verdict == hypothesis_verdict::supported);
    CHECK(judged_alone(s, hypothesis("fast", "slow", relation::different, 1)).verdict == hypothesis_verdict::supported);
}

TEST_CASE("what is not shown says what could have been seen") {
    const judged_hypothesis h = judged_alone(samples().study(), hypothesis("fast", "same", relation::higher, 0.5));
    CHECK(h.verdict == hypothesis_verdict::not_shown);
    CHECK(h.words.starts_with(
        "Neither that fast is higher than same by more than 0.5 points nor the opposite is shown ("));
    CHECK(h.words.find(
              " If the true difference is 1 point, twice the margin, runs like these show it with a chance of ") !=
          std::string::npos);
    CHECK(h.words.find(" is the smallest true difference with which they show it with a chance of 80 %.") !=
          std::string::npos);
    const judged_hypothesis different =
        judged_alone(samples().study(), hypothesis("fast", "same", relation::different));
    CHECK(different.verdict == hypothesis_verdict::not_shown);
    CHECK(!different.p_against); // without a margin nothing refutes it
    CHECK(!different.power);
}

TEST_CASE("a published value is a reference without error") {
    hypothesis_spec h = hypothesis("fast", "", relation::higher);
    h.reference = reference_value{"TR114", 92};
    const judged_hypothesis above = judged_alone(samples().study(), h);
    CHECK(*above.p == doctest::Approx(0.06120975113028626).epsilon(1e-9));
    CHECK(*above.p_means == doctest::Approx(0.12241950226057252).epsilon(1e-9));
    CHECK(above.verdict == hypothesis_verdict::not_shown);
    CHECK(above.b == "TR114");
    CHECK(above.n_b == 0);
    CHECK(above.ci95->low == doctest::Approx(91.58382726197473 - 92));
    CHECK(*above.detectable == doctest::Approx(1.6943115551769485).epsilon(1e-6));
    h.reference = reference_value{"TR110", 99.25};
    CHECK(judged_alone(samples().study(), h).verdict == hypothesis_verdict::refuted);
}

TEST_CASE("ranks decide where they are asked to: one cold start swamps a mean") {
    made_study m("ttft_ms_p50");
    m.add("one", "x", {799, 801, 805, 798, 810, 802}).add("two", "x", {629, 628, 640, 635, 631, 5000});
    hypothesis_spec h = hypothesis("one", "two", relation::lower);
    h.metric = "ttft_ms_p50";
    CHECK(judged_alone(m.study(), h).verdict == hypothesis_verdict::not_shown);
    m.add("two", "y", {630, 633, 634, 632}).add("one", "y", {800, 803, 804, 806});
    h.test = deciding_test::ranks;
    const judged_hypothesis ranks = judged_alone(m.study(), h);
    CHECK(ranks.verdict == hypothesis_verdict::refuted);
    CHECK(ranks.words.starts_with("one is higher than two (medians 802.5 and 632.5; difference of the means "));
    CHECK(ranks.unit == "ms");
}

TEST_CASE("what cannot be decided says why") {
    made_study m;
    m.add("a", "x", {90, 91}).add("b", "x", {90, 91, 92}).add("c", "x", {50, 50, 50}).add("d", "x", {60, 60, 60});
    const study& s = m.study();
    const judged_hypothesis few = judged_alone(s, hypothesis("a", "b", relation::higher));
    CHECK(few.verdict == hypothesis_verdict::too_few_runs);
    CHECK(few.words == "Too few runs: 2 of a and 3 of b; three are needed.");
    const judged_hypothesis none = judged_alone(s, hypothesis("a", "bb", relation::higher));
    CHECK(none.verdict == hypothesis_verdict::not_derivable);
    CHECK(none.words.starts_with("The study has no runtime \"bb\"; "));
    const std::string nothing_varies = "No run differs from another, so what chance can do is not known.";
    CHECK(judged_alone(s, hypothesis("d", "c", relation::higher)).words == nothing_varies);
    CHECK(judged_alone(s, hypothesis("c", "c", relation::equivalent, 0.5)).words == nothing_varies);
    // By ranks, three against three can give 0.05 and no less.
    hypothesis_spec by_ranks = hypothesis("d", "c", relation::higher);
    by_ranks.test = deciding_test::ranks;
    const judged_hypothesis constant = judged_alone(s, by_ranks);
    CHECK(*constant.p == doctest::Approx(0.05));
    CHECK(constant.verdict == hypothesis_verdict::not_shown);
    CHECK(!constant.detectable); // the t test of such runs would find any difference
    hypothesis_spec to_value = hypothesis("c", "", relation::higher);
    to_value.reference = reference_value{"40", 40};
    CHECK(judged_alone(s, to_value).words == nothing_varies);
}
