// Examples published with their results, to the digits that their sources print, and closed forms.
#include "statistics/scaling.hpp"
#include "statistics/two_samples.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

using namespace chimera::host::statistics;

namespace {

/// value, rounded to so many decimals, is the number printed.
void check_printed(double value, double printed, int decimals) {
    const double unit = std::pow(10, -decimals);
    INFO("is ", value, ", printed ", printed);
    CHECK(std::abs(value - printed) <= unit * 0.5000001);
}

} // namespace

TEST_CASE("mean and standard deviation: NIST StRD, univariate, NumAcc1 and NumAcc4") {
    const description three = describe(std::vector<double>{10000001, 10000003, 10000002});
    CHECK(three.mean == 10000002);
    CHECK(three.sd == 1);

    std::vector<double> stiff{10000000.2};
    for (int i = 0; i < 500; ++i) stiff.insert(stiff.end(), {10000000.1, 10000000.3});
    const description d = describe(stiff);
    CHECK(d.mean == doctest::Approx(10000000.2).epsilon(1e-15));
    CHECK(d.sd == doctest::Approx(0.1).epsilon(1e-7)); // the values themselves are rounded to 2e-9
}

TEST_CASE("Welch: Student's sleep data (Biometrika 6, 1908), as R's help for t.test prints it") {
    const std::vector<double> first{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
    const std::vector<double> second{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
    const welch_result r = welch(first, second).value();
    check_printed(r.t, -1.8608, 4);
    check_printed(r.df, 17.776, 3);
    check_printed(r.p, 0.07939, 5);
    check_printed(r.ci95.low, -3.3654832, 7);
    check_printed(r.ci95.high, 0.2054832, 7);
}

TEST_CASE("Mann-Whitney: permeability (Hollander and Wolfe, 1973, p. 69), as R's help for wilcox.test prints it") {
    const std::vector<double> at_term{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
    const std::vector<double> early{1.15, 0.88, 0.90, 0.74, 1.21};
    const mann_whitney_result r = mann_whitney(at_term, early).value();
    CHECK(r.exact);
    CHECK(r.u == 35);
    check_printed(r.p / 2, 0.1272, 4); // one-sided there
}

TEST_CASE("Mann-Whitney with ties: blood pressure (Mehta and Patel, StatXact-5, 2001, p. 229)") {
    const std::vector<double> treated{94, 108, 110, 90};
    const std::vector<double> control{80, 94, 85, 90, 90, 90, 108, 94, 78, 105, 88};
    const mann_whitney_result r = mann_whitney(treated, control).value();
    CHECK(r.exact);
    check_printed(r.p / 2, 0.0542, 4); // one-sided there
}

TEST_CASE("Mann-Whitney: 5 against 5 runs cannot give less than 2 / C(10, 5) = 0.0079") {
    const mann_whitney_result r =
        mann_whitney(std::vector<double>{1, 2, 3, 4, 5}, std::vector<double>{6, 7, 8, 9, 10}).value();
    CHECK(r.u == 0);
    CHECK(r.p == doctest::Approx(2.0 / 252).epsilon(1e-14));
}

TEST_CASE("Hedges' correction has closed forms: J(2) = 1 / sqrt(pi), J(4) = sqrt(2 / pi)") {
    const std::vector<double> a{3, 5}, b{1, 2}, longer_a{3, 5, 4}, longer_b{1, 2, 4};
    CHECK(*hedges_g(a, b) / *cohens_d(a, b) == doctest::Approx(1 / std::sqrt(std::numbers::pi)).epsilon(1e-14));
    CHECK(*hedges_g(longer_a, longer_b) / *cohens_d(longer_a, longer_b) ==
          doctest::Approx(std::sqrt(2 / std::numbers::pi)).epsilon(1e-14));
}

TEST_CASE("Holm: adjusted p in the order given") {
    // By hand: 4 x 0.005, 3 x 0.01, 2 x 0.03, and 0.04 raised to the one before it.
    const std::vector<double> p = holm(std::vector<double>{0.01, 0.04, 0.03, 0.005});
    const std::vector<double> expected{0.03, 0.06, 0.06, 0.02};
    REQUIRE(p.size() == expected.size());
    for (std::size_t i = 0; i < p.size(); ++i) CHECK(p[i] == doctest::Approx(expected[i]).epsilon(1e-14));
    CHECK(holm(std::vector<double>{0.6, 0.5}) == std::vector<double>{1, 1});
    CHECK(holm({}).empty());
}

TEST_CASE("USL: SPEC SDM91 on a SPARCcenter 2000, as R's package usl 3.0 prints it") {
    const std::vector<scaling_point> points{{1, 64.9},     {18, 995.9},   {36, 1652.4}, {72, 1853.2},
                                            {108, 1828.9}, {144, 1775.0}, {216, 1702.2}};
    const usl_fit fit = fit_usl(points).value();
    check_printed(fit.contention, 0.0277285, 7);
    check_printed(fit.coherency, 0.0001044, 7);
    check_printed(fit.rate, 89.995233, 6); // printed 89.9952330; the least squares are at 89.9952331
    check_printed(fit.peak_n.value(), 96.52, 2);
}

TEST_CASE("Jain's index: k equal shares of n give k / n (Jain, Chiu and Hawe, DEC TR-301, 1984)") {
    CHECK(jain_index(std::vector<double>{3, 3, 3, 3}) == doctest::Approx(1));
    CHECK(jain_index(std::vector<double>{5, 0, 0, 0, 0}) == doctest::Approx(0.2));
    CHECK(jain_index(std::vector<double>{2, 0, 2, 0, 2}) == doctest::Approx(0.6));
}
