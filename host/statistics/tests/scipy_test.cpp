// Agreement with SciPy and statsmodels: scipy_reference.json, written by scipy_reference.py.
#include "statistics/bootstrap.hpp"
#include "statistics/drift.hpp"
#include "statistics/equivalence.hpp"
#include "statistics/power.hpp"
#include "statistics/scaling.hpp"
#include "statistics/trend.hpp"
#include "statistics/two_samples.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>

using namespace chimera::host::statistics;
using nlohmann::json;

namespace {

const json& reference() {
    static const json cases =
        json::parse(std::ifstream(CHIMERA_SOURCE_DIR "/host/statistics/tests/scipy_reference.json"));
    return cases;
}

void check_close(double value, const json& expected, double relative = 1e-9, double absolute = 0) {
    const double truth = expected;
    INFO("is ", value, ", SciPy says ", truth);
    CHECK(std::abs(value - truth) <= relative * std::abs(truth) + absolute);
}

void check_close(const interval& value, const json& expected) {
    check_close(value.low, expected[0]);
    check_close(value.high, expected[1]);
}

std::vector<double> values(const json& x) { return x.get<std::vector<double>>(); }

} // namespace

TEST_CASE("descriptions agree with SciPy") {
    REQUIRE(reference()["descriptions"].size() == 5);
    for (const json& expected : reference()["descriptions"]) {
        const std::vector<double> x = values(expected["x"]);
        const description d = describe(x);
        check_close(d.mean, expected["mean"]);
        check_close(d.sd, expected["sd"]);
        check_close(std::copysign(d.cv_pct, d.mean), expected["cv_pct"]); // SciPy divides by the mean itself
        check_close(d.p50, expected["median"]);
        check_close(d.min, expected["min"]);
        check_close(d.max, expected["max"]);
        check_close(d.ci95.value(), expected["ci95"]);
        CHECK(outliers(x) == expected["outliers"].get<std::vector<std::size_t>>());
    }
}

TEST_CASE("tests and effect sizes of pairs agree with SciPy") {
    REQUIRE(reference()["pairs"].size() == 28);
    for (const json& expected : reference()["pairs"]) {
        CAPTURE(expected["name"].get<std::string>());
        const std::vector<double> a = values(expected["a"]), b = values(expected["b"]);
        const std::pair<sample, sample> both{a, b};
        const comparison c = compare_pairs({&both, 1}).front();
        const json& by_welch = expected["welch"];
        check_close(c.difference, by_welch["difference"]);
        check_close(c.ci95.value(), by_welch["ci95"]);
        check_close(c.welch.value().t, by_welch["t"]);
        check_close(c.welch->df, by_welch["df"]);
        check_close(c.welch->p, by_welch["p"]);
        const json& by_rank = expected["mann_whitney"];
        check_close(c.mann_whitney.value().u, by_rank["u"]);
        check_close(c.mann_whitney->p, by_rank["p"]);
        CHECK(c.mann_whitney->exact == by_rank["exact"].get<bool>());
        check_close(c.cohens_d.value(), expected["cohens_d"]);
        check_close(c.hedges_g.value(), expected["hedges_g"]);
    }
}

TEST_CASE("scaling fits agree with SciPy's curve_fit") {
    const auto check_coefficient = [](double value, const json& expected) { check_close(value, expected, 1e-6, 1e-9); };
    REQUIRE(reference()["scaling"].size() == 10);
    for (const json& expected : reference()["scaling"]) {
        CAPTURE(expected["name"].get<std::string>());
        std::vector<scaling_point> points;
        for (std::size_t i = 0; i < expected["n"].size(); ++i)
            points.push_back({expected["n"][i], expected["throughput"][i]});
        const amdahl_fit amdahl = fit_amdahl(points).value();
        check_coefficient(amdahl.serial_fraction, expected["amdahl"]["serial_fraction"]);
        check_coefficient(amdahl.rate, expected["amdahl"]["rate"]);
        check_coefficient(amdahl.r2, expected["amdahl"]["r2"]);
        const usl_fit usl = fit_usl(points).value();
        check_coefficient(usl.contention, expected["usl"]["contention"]);
        check_coefficient(usl.coherency, expected["usl"]["coherency"]);
        check_coefficient(usl.rate, expected["usl"]["rate"]);
        check_coefficient(usl.r2, expected["usl"]["r2"]);
    }
}

TEST_CASE("effects of parameters agree with SciPy's analysis of variance") {
    REQUIRE(reference()["levels"].size() == 2);
    for (const json& expected : reference()["levels"]) {
        CAPTURE(expected["name"].get<std::string>());
        std::vector<std::vector<double>> samples;
        for (const json& level : expected["levels"]) samples.push_back(values(level));
        const std::vector<sample> levels(samples.begin(), samples.end());
        const parameter_effect effect = effect_of(levels).value();
        check_close(effect.eta_squared, expected["eta_squared"]);
        check_close(effect.range_pct.value(), expected["range_pct"]);
    }
}

TEST_CASE("tests of one sample agree with SciPy and statsmodels") {
    REQUIRE(reference()["one_samples"].size() == 5);
    for (const json& expected : reference()["one_samples"]) {
        CAPTURE(expected["name"].get<std::string>());
        const std::vector<double> x = values(expected["x"]);
        const double published = expected["reference"], margin = expected["margin"];
        const one_sample_result r = one_sample(x, published).value();
        check_close(r.difference, expected["difference"]);
        check_close(r.t, expected["t"]);
        check_close(r.df, expected["df"]);
        check_close(r.p, expected["p"]);
        check_close(r.ci95, expected["ci95"]);
        check_close(p_above(x, published, margin).value(), expected["p_above"]);
        check_close(equivalence(x, published, margin).value().p, expected["equivalence_p"]);
    }
}

TEST_CASE("tests with a margin agree with SciPy and statsmodels") {
    REQUIRE(reference()["equivalences"].size() == 15);
    for (const json& expected : reference()["equivalences"]) {
        CAPTURE(expected["name"].get<std::string>());
        const std::vector<double> a = values(expected["a"]), b = values(expected["b"]);
        const double margin = expected["margin"];
        check_close(p_above(a, b, margin).value(), expected["p_above"]);
        check_close(p_above(a, b, -margin).value(), expected["p_not_below"]);
        const equivalence_result r = equivalence(a, b, margin).value();
        check_close(r.p, expected["p"]);
        CHECK((r.ci90.low > -margin && r.ci90.high < margin) == (r.p < 0.05));
    }
}

TEST_CASE("power agrees with statsmodels, and the smallest difference has the power that was asked for") {
    REQUIRE(reference()["powers"].size() == 48);
    for (const json& expected : reference()["powers"]) {
        CAPTURE(expected.dump());
        const double sd = expected["sd"], difference = expected["difference"], alpha = expected["alpha"];
        const spread s{expected["n"], sd * sd};
        check_close(power_of(s, s, difference, alpha), expected["two_samples"]);
        check_close(power_of(s, difference, alpha), expected["one_sample"]);
        const double both = detectable_difference(s, s, alpha, 0.8).value();
        CHECK(power_of(s, s, both, alpha) == doctest::Approx(0.8).epsilon(1e-9));
        const double one = detectable_difference(s, alpha, 0.8).value();
        CHECK(power_of(s, one, alpha) == doctest::Approx(0.8).epsilon(1e-9));
    }
}

TEST_CASE("bootstrap intervals agree with those of 400000 draws to their error") {
    REQUIRE(reference()["bootstraps"].size() == 2);
    for (const json& expected : reference()["bootstraps"]) {
        const std::vector<double> a = values(expected["a"]), b = values(expected["b"]);
        const auto sum = [](const std::vector<double>& of, const std::vector<std::size_t>& drawn) {
            double total = 0;
            for (const std::size_t i : drawn) total += of[i];
            return total;
        };
        const std::size_t sizes[] = {a.size(), b.size()};
        const auto ratio = [&](resample drawn) { return std::optional(sum(a, drawn[0]) / sum(b, drawn[1])); };
        const interval ci = bootstrap(sizes, ratio, 115, 40000).value();
        check_close(ci.low, expected["ci95"][0], 0.01);
        check_close(ci.high, expected["ci95"][1], 0.01);
        CHECK(bootstrap(sizes, ratio, 115, 40000)->low == ci.low); // the seed decides
        CHECK(bootstrap(sizes, ratio, 116, 40000)->low != ci.low);
    }
}

TEST_CASE("trends agree with SciPy's Theil-Sen slope and Kendall's tau, and with Hamed and Rao's correction") {
    REQUIRE(reference()["trends"].size() == 14);
    for (const json& expected : reference()["trends"]) {
        CAPTURE(expected["name"].get<std::string>());
        const std::vector<double> x = values(expected["x"]), y = values(expected["y"]);
        const auto plain = trend_of(x, y, true);
        REQUIRE(plain);
        check_close(plain->slope, expected["slope"], 1e-9, 1e-12);
        check_close(plain->ci95.low, expected["ci95"][0], 1e-9, 1e-12);
        check_close(plain->ci95.high, expected["ci95"][1], 1e-9, 1e-12);
        check_close(plain->tau, expected["tau"], 1e-9, 1e-12);
        check_close(plain->p, expected["p"]);
        const auto corrected = trend_of(x, y);
        REQUIRE(corrected);
        check_close(corrected->dependence, expected["dependence"]);
        CHECK(corrected->slope == plain->slope);
        CHECK(corrected->p >= plain->p * (1 - 1e-12));
        CHECK(corrected->ci95.low <= plain->ci95.low);
    }
}

TEST_CASE("there is no trend in equal values, and none in fewer than four") {
    const std::vector<double> x{1, 2, 3, 4}, same{5, 5, 5, 5};
    CHECK_FALSE(trend_of(x, same));
    CHECK_FALSE(trend_of(std::span(x).first(3), std::span(x).first(3)));
}

TEST_CASE("slopes within groups agree with statsmodels' least squares with a level for each group") {
    REQUIRE(reference()["drifts"].size() == 3);
    for (const json& expected : reference()["drifts"]) {
        CAPTURE(expected["name"].get<std::string>());
        std::vector<std::vector<moment_value>> groups;
        for (const json& group : expected["groups"]) {
            auto& values = groups.emplace_back();
            for (const json& v : group) values.push_back({v[0], v[1]});
        }
        const slope_result r = slope_within(groups).value();
        check_close(r.slope, expected["slope"]);
        check_close(r.t, expected["t"]);
        check_close(r.df, expected["df"]);
        check_close(r.p, expected["p"]);
        check_close(r.ci95, expected["ci95"]);
    }
}
