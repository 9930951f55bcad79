#include "made_study.hpp"
#include "study/claims.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace chimera::host;
using namespace chimera::test;

namespace {

const std::string efficiency = "efficiency_pct";

/// smol's best run is higher, tokio's best configuration is. Means over runs: smol 90.5, tokio 90, blocked 50.
study published() {
    made_study m;
    m.add("smol", "homo_512", {88, 90, 92}).add("smol", "hetero", {85, 90, 98});
    m.add("tokio", "homo_512", {93, 94, 95}).add("tokio", "hetero", {85, 86, 87});
    m.add("blocked", "homo_512", {50, 50, 50}).add("blocked", "hetero", {50, 50, 50});
    return m.study();
}

claim_spec claim(claim_kind kind, std::optional<double> figure = {}, double tolerance = 0.05) {
    claim_spec c;
    c.id = "c";
    c.statement = "s";
    c.kind = kind;
    c.metric = efficiency;
    c.published = figure;
    c.tolerance = tolerance;
    return c;
}

claim_spec value_of(const char* subject, double figure, measure by, double tolerance = 0.05) {
    claim_spec c = claim(claim_kind::value, figure, tolerance);
    c.of = {subject};
    c.by = by;
    return c;
}

constexpr measure mean{}, sd{aggregate::sd, sample_unit::runs}, peak{aggregate::max, sample_unit::runs},
    best_config{aggregate::max, sample_unit::configurations}, sd_of_means{aggregate::sd, sample_unit::configurations};

} // namespace

TEST_CASE("a figure holds within its tolerance, and the ends of it count") {
    const study s = published();
    const judged_claim right = judge(s, value_of("smol", 90.5, mean));
    CHECK(right.verdict == claim_verdict::holds);
    CHECK(*right.recomputed == doctest::Approx(90.5));
    CHECK(right.said == "90.5 %");
    CHECK(right.found == "90.50 %");
    CHECK(right.about == "efficiency_pct of smol, mean");
    CHECK(judge(s, value_of("smol", 90.55, mean)).verdict == claim_verdict::holds);
    const judged_claim wrong = judge(s, value_of("smol", 90.6, mean));
    CHECK(wrong.verdict == claim_verdict::wrong);
    CHECK(*wrong.deviation == doctest::Approx(-0.1));
    CHECK(wrong.note.empty());
}

TEST_CASE("a figure that holds by another aggregate says by which") {
    const study s = published();
    // 98 is the best run; the best configuration mean is 91.
    const judged_claim best = judge(s, value_of("smol", 98, peak));
    CHECK(best.verdict == claim_verdict::holds);
    CHECK(best.note == "By the highest configuration mean it is 91.00 %.");
    const judged_claim mixed = judge(s, value_of("smol", 91, peak));
    CHECK(mixed.verdict == claim_verdict::wrong);
    CHECK(mixed.note == "It holds for the highest configuration mean (91.00 %).");
    // Means of tokio's configurations: 94 and 86.
    const judged_claim scatter = judge(s, value_of("tokio", 5.66, sd, 0.005));
    CHECK(scatter.verdict == claim_verdict::wrong);
    CHECK(scatter.note == "It holds for the sd of the configuration means (5.657 points).");
    CHECK(judge(s, value_of("tokio", 5.66, sd_of_means, 0.005)).verdict == claim_verdict::holds);
    // Both configurations have a deviation of 1.
    CHECK(judge(s, value_of("tokio", 1, {aggregate::mean_sd, sample_unit::runs})).verdict == claim_verdict::holds);
}

TEST_CASE("a figure of another configuration says whose it is") {
    const study s = published();
    const judged_claim c = judge(s, value_of("tokio/homo*", 86.0, mean));
    CHECK(c.verdict == claim_verdict::wrong);
    CHECK(c.note == "It is the figure of tokio/hetero (86.00 %).");
}

TEST_CASE("every aggregate") {
    made_study m;
    m.add("a", "x", {1, 2, 3, 4}).add("a", "y", {10});
    const study& s = m.study();
    const auto found = [&s](aggregate how, sample_unit over = sample_unit::runs) {
        return judge(s, value_of("a", 0, {how, over})).recomputed.value_or(-1);
    };
    CHECK(found(aggregate::mean) == 4);
    CHECK(found(aggregate::mean, sample_unit::configurations) == 6.25);
    CHECK(found(aggregate::median) == 3);
    CHECK(found(aggregate::min) == 1);
    CHECK(found(aggregate::max) == 10);
    CHECK(found(aggregate::max, sample_unit::configurations) == 10);
    CHECK(found(aggregate::q1) == 2);
    CHECK(found(aggregate::q3) == 4);
    CHECK(found(aggregate::range) == 9);
    CHECK(found(aggregate::count) == 5);
    CHECK(found(aggregate::count, sample_unit::configurations) == 2);
    CHECK(found(aggregate::sd) == doctest::Approx(3.535533905932738)); // sqrt(12.5)
    CHECK(found(aggregate::cv_pct) == doctest::Approx(88.38834764831845));
    CHECK(found(aggregate::ci95_low) == doctest::Approx(4 - 2.7764451051977987 * std::sqrt(12.5 / 5)));
    CHECK(found(aggregate::ci95_high) == doctest::Approx(4 + 2.7764451051977987 * std::sqrt(12.5 / 5)));
    CHECK(judge(s, value_of("a/y", 1, sd)).verdict == claim_verdict::not_derivable); // one run
    CHECK(judge(s, value_of("a", 1, {aggregate::mean_sd, sample_unit::runs})).verdict == claim_verdict::not_derivable);
}

TEST_CASE("a difference with the other sign is that, and says so where only the sign is wrong") {
    const study s = published();
    claim_spec gain = claim(claim_kind::difference, 1.7);
    gain.a = "tokio";
    gain.by = best_config;
    gain.reference = reference_value{"TR114", 95.7};
    const judged_claim c = judge(s, gain);
    CHECK(c.verdict == claim_verdict::other_sign);
    CHECK(c.found == "-1.70 points");
    CHECK(c.note == "The size is right and the sign is not.");
    gain.published = -1.7;
    CHECK(judge(s, gain).verdict == claim_verdict::holds);
    claim_spec pair = claim(claim_kind::difference, 0.5);
    pair.a = "smol";
    pair.b = "tokio";
    CHECK(judge(s, pair).verdict == claim_verdict::holds);
    pair.published = 1.0;
    pair.by = best_config; // 91 - 94
    CHECK(judge(s, pair).verdict == claim_verdict::other_sign);
}

TEST_CASE("change, ratio, speedup and effect size") {
    const study s = published();
    claim_spec c = claim(claim_kind::change_pct, 81);
    c.a = "smol";
    c.b = "blocked";
    CHECK(judge(s, c).verdict == claim_verdict::holds);
    c.kind = claim_kind::ratio;
    c.published = 1.81;
    CHECK(judge(s, c).verdict == claim_verdict::holds);
    claim_spec speedup = value_of("blocked", 1.0, peak, 0.005);
    speedup.kind = claim_kind::speedup;
    CHECK(judge(s, speedup).verdict == claim_verdict::holds);
    CHECK(judge(s, speedup).said == "1.00 x");
    study unequal = published();
    for (study_run& r : unequal.runs)
        if (r.runtime == "blocked" && r.config == "hetero") r.result.concurrent.agents.resize(4);
    CHECK(judge(unequal, speedup).verdict == claim_verdict::not_derivable);
    speedup.of = {"blocked/homo_512"}; // of two agents, whatever the other runs have
    CHECK(judge(unequal, speedup).verdict == claim_verdict::holds);
    made_study m;
    m.add("fast", "x", {92, 94, 93, 95, 91, 93.5}).add("slow", "x", {88, 90, 87.5, 91, 89, 90.5});
    claim_spec d = claim(claim_kind::cohens_d, -2.62);
    d.a = "fast";
    d.b = "slow";
    const judged_claim effect = judge(m.study(), d);
    CHECK(effect.verdict == claim_verdict::other_sign);
    CHECK(*effect.recomputed == doctest::Approx(2.648892601943691));
}

TEST_CASE("an order holds for the first of all, and says what the means say") {
    const study s = published();
    claim_spec c = claim(claim_kind::order);
    c.of = {"tokio"};
    c.by = best_config;
    c.place = place_in_order::best;
    const judged_claim best = judge(s, c);
    CHECK(best.verdict == claim_verdict::holds);
    CHECK(best.note == "By the mean of all runs it is number 2 of 3: smol 90.5, tokio 90, blocked 50.");
    c.by = mean;
    const judged_claim wrong = judge(s, c);
    CHECK(wrong.verdict == claim_verdict::wrong);
    CHECK(wrong.found == "best: smol 90.5; tokio is number 2 of 3 (90)");
    c.among = {"tokio", "blocked"};
    CHECK(judge(s, c).verdict == claim_verdict::holds);
    c.among = {"smol", "blocked"};
    CHECK(judge(s, c).verdict == claim_verdict::not_derivable);
}

TEST_CASE("the most stable configuration of a runtime is that of the lowest deviation") {
    const study s = published();
    claim_spec c = claim(claim_kind::order);
    c.of = {"smol/homo*"};
    c.by = sd;
    c.place = place_in_order::most_stable;
    CHECK(judge(s, c).verdict == claim_verdict::holds);
    c.place = place_in_order::least_stable;
    const judged_claim wrong = judge(s, c);
    CHECK(wrong.verdict == claim_verdict::wrong);
    CHECK(wrong.found == "least stable: smol/hetero 6.557; smol/homo_512 is number 2 of 2 (2)");
    c.of = {"smol/hetero", "tokio/homo*"}; // each among its own runtime's; those of tokio are equal
    CHECK(judge(s, c).verdict == claim_verdict::holds);
    CHECK(judge(s, c).found == "true of 2 of 2");
}

TEST_CASE("a ranking, and a range of several") {
    const study s = published();
    claim_spec c = claim(claim_kind::ranking);
    c.of = {"smol", "tokio", "blocked"};
    CHECK(judge(s, c).verdict == claim_verdict::holds);
    c.of = {"tokio", "smol"};
    CHECK(judge(s, c).verdict == claim_verdict::wrong);
    CHECK(judge(s, c).found == "smol 90.5, tokio 90");
    claim_spec range = claim(claim_kind::between, {}, 0);
    range.of = {"smol", "tokio"};
    range.by = peak;
    range.low = 95;
    range.high = 96;
    const judged_claim outside = judge(s, range);
    CHECK(outside.verdict == claim_verdict::wrong);
    CHECK(outside.note == "Outside: smol 98.");
    range.tolerance = 2;
    CHECK(judge(s, range).verdict == claim_verdict::holds);
}

TEST_CASE("a success rate counts the configurations that are better as the metric knows it") {
    made_study m("ttft_ms_p50");
    m.add("a", "default", {100, 102}).add("a", "x", {90}).add("a", "y", {120}).add("a", "z", {101});
    claim_spec c = claim(claim_kind::success_rate_pct, 33.3);
    c.metric = "ttft_ms_p50";
    c.of = {"a"};
    c.baseline = "default";
    const judged_claim rate = judge(m.study(), c);
    CHECK(rate.verdict == claim_verdict::holds);
    CHECK(rate.note == "1 of 3 are better; by chance alone about half would be.");
    c.baseline = "none";
    CHECK(judge(m.study(), c).verdict == claim_verdict::not_derivable);
}

TEST_CASE("a formula needs no runs; its sign counts") {
    claim_spec c = claim(claim_kind::formula, 46, 0.5);
    c.formula = "(a - b) / a * 100";
    c.inputs = {{"a", 0.36}, {"b", 2.6}};
    c.unit = "%";
    const judged_claim wrong = judge(published(), c);
    CHECK(wrong.verdict == claim_verdict::other_sign);
    CHECK(wrong.found == "-622.2 %");
    CHECK(wrong.about == "(a - b) / a * 100, with a = 0.36, b = 2.6");
    c.inputs = {{"a", 4.8}, {"b", 2.6}};
    CHECK(judge(published(), c).verdict == claim_verdict::holds);
    c.inputs = {{"a", 0}, {"b", 2.6}};
    CHECK(judge(published(), c).verdict == claim_verdict::not_derivable);
}

TEST_CASE("what a study does not have is not derivable, and it says why") {
    const study s = published();
    CHECK(judge(s, value_of("smoll", 1, mean)).note == "The study has no runtime \"smoll\"; did you mean \"smol\"?");
    CHECK(judge(s, value_of("smol/homo", 1, mean)).note.starts_with("The study has no configuration \"homo\"; "));
    claim_spec c = value_of("smol", 1, mean);
    c.metric = "ttft_ms_p50";
    CHECK(judge(s, c).note == "The study did not measure ttft_ms_p50.");
    c.note = "A remark.";
    CHECK(judge(s, c).note == "The study did not measure ttft_ms_p50. A remark.");
    CHECK(judge(s, c).verdict == claim_verdict::not_derivable);
}

TEST_CASE("tests: what is detectable, what is not, and what is shown to be small") {
    made_study m;
    m.add("fast", "x", {92, 94, 93, 95, 91, 93.5}).add("slow", "x", {88, 90, 87.5, 91, 89, 90.5});
    m.add("same", "x", {92.5, 93.5, 93, 94.5, 91.5, 94});
    const study& s = m.study();
    claim_spec c = claim(claim_kind::test);
    c.a = "fast";
    c.b = "slow";
    c.says = relation::higher;
    CHECK(judge(s, c).verdict == claim_verdict::holds);
    c.says = relation::lower;
    CHECK(judge(s, c).verdict == claim_verdict::other_sign);
    c.test = deciding_test::ranks;
    CHECK(judge(s, c).verdict == claim_verdict::other_sign);
    CHECK(judge(s, c).note == "Medians 93.25 and 89.5, means 93.08 and 89.33.");
    c.test = deciding_test::welch;
    c.says = relation::no_difference;
    CHECK(judge(s, c).verdict == claim_verdict::wrong);
    c.b = "same";
    CHECK(judge(s, c).verdict == claim_verdict::holds);
    CHECK(judge(s, c).note == "No detectable difference is not equality.");
    c.says = relation::higher;
    CHECK(judge(s, c).verdict == claim_verdict::wrong);
    c.says = relation::equivalent;
    c.margin = 2;
    CHECK(judge(s, c).verdict == claim_verdict::holds);
    c.margin = 0.1;
    CHECK(judge(s, c).verdict == claim_verdict::wrong);
    // Beyond a margin: 3.75 points are more than 1, and not shown to be more than 3.
    c.b = "slow";
    c.says = relation::higher;
    c.margin = 1;
    CHECK(judge(s, c).verdict == claim_verdict::holds);
    c.margin = 3;
    CHECK(judge(s, c).verdict == claim_verdict::wrong);
    // Against a published value.
    claim_spec r = claim(claim_kind::test);
    r.a = "slow";
    r.reference = reference_value{"TR114", 95.7};
    r.says = relation::higher;
    CHECK(judge(s, r).verdict == claim_verdict::other_sign);
    r.says = relation::lower;
    r.margin = 4;
    CHECK(judge(s, r).verdict == claim_verdict::holds);
    // By ranks one far run hides nothing.
    made_study far;
    far.add("a", "x", {90, 90.1, 90.2, 90.3, 90.4, 90.5}).add("b", "x", {90.05, 90.15, 90.25, 90.35, 90.45, 20});
    claim_spec equal = claim(claim_kind::test);
    equal.a = "a";
    equal.b = "b";
    equal.says = relation::equivalent;
    equal.margin = 1.02;
    CHECK(judge(far.study(), equal).verdict == claim_verdict::wrong);
    equal.test = deciding_test::ranks;
    CHECK(judge(far.study(), equal).verdict == claim_verdict::holds);
    // Of several.
    claim_spec all = claim(claim_kind::test);
    all.of = {"fast", "same", "slow"};
    all.says = relation::no_difference;
    CHECK(judge(s, all).verdict == claim_verdict::wrong);
    all.says = relation::equivalent;
    all.margin = 2;
    CHECK(judge(s, all).found == "1 of 3 pairs shown to be within 2 points");
    all.margin = 8;
    CHECK(judge(s, all).verdict == claim_verdict::holds);
}

TEST_CASE("verdicts are counted") {
    study s = published();
    question_set q;
    q.source = "file.toml";
    q.claims = {value_of("smol", 90.5, mean), value_of("smol", 1, mean), value_of("none", 1, mean)};
    s.questions = {q};
    const claims_report report = claims_of(s);
    CHECK(report.holds == 1);
    CHECK(report.wrong == 1);
    CHECK(report.not_derivable == 1);
    CHECK(report.claims[2].source == "file.toml");
    const json j = to_json(report);
    CHECK(j["claims"][1]["verdict"] == "wrong");
    CHECK(j["claims"][2]["recomputed"].is_null());
}
