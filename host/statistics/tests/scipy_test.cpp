// Agreement with SciPy: scipy_reference.json, written by scipy_reference.py.
#include "statistics/scaling.hpp"
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
