#include "statistics/scaling.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace chimera::host::statistics;

namespace {

std::vector<scaling_point> curve(std::initializer_list<double> sizes, double rate, double contention,
                                 double coherency) {
    std::vector<scaling_point> points;
    for (const double n : sizes) points.push_back({n, rate * n / (1 + contention * (n - 1) + coherency * n * (n - 1))});
    return points;
}

} // namespace

TEST_CASE("a fit finds the coefficients that the points were made from, in any unit") {
    for (const double rate : {1e-200, 0.01, 40.0, 1e200})
        for (const double contention : {0.0, 0.01, 0.3, 0.9, 1.0}) {
            CAPTURE(rate);
            CAPTURE(contention);
            const amdahl_fit amdahl = fit_amdahl(curve({1, 2, 4, 8}, rate, contention, 0)).value();
            CHECK(std::abs(amdahl.serial_fraction - contention) < 1e-9);
            CHECK(amdahl.rate == doctest::Approx(rate).epsilon(1e-9));
            CHECK(amdahl.r2 == doctest::Approx(1));
            for (const double coherency : {0.0, 1e-5, 0.02, 2.0}) {
                CAPTURE(coherency);
                const usl_fit usl = fit_usl(curve({1, 2, 3, 4, 8, 32}, rate, contention, coherency)).value();
                CHECK(std::abs(usl.contention - contention) < 1e-8);
                CHECK(std::abs(usl.coherency - coherency) < 1e-8);
                CHECK(usl.rate == doctest::Approx(rate).epsilon(1e-8));
                CHECK(usl.r2 == doctest::Approx(1));
            }
        }
}

TEST_CASE("the peak of a curve is where its derivative is 0") {
    const usl_fit fit = fit_usl(curve({1, 2, 4, 8, 16, 32}, 50, 0.1, 0.009)).value();
    CHECK(fit.peak_n.value() == doctest::Approx(10)); // sqrt(0.9 / 0.009)
}

TEST_CASE("growth better than proportional is fitted as proportional: coefficients are never negative") {
    std::vector<scaling_point> points;
    for (const double n : {1, 2, 3, 4, 5}) points.push_back({n, 10 * n * std::pow(n, 0.1)});
    const usl_fit fit = fit_usl(points).value();
    CHECK(fit.contention == 0);
    CHECK(fit.coherency == 0);
    CHECK_FALSE(fit.peak_n);
    CHECK(fit_amdahl(points)->serial_fraction == 0);
}

TEST_CASE("throughput that falls is not growth for Amdahl, and has a peak for the USL") {
    const std::vector<scaling_point> points = curve({1, 2, 3, 4, 6}, 50, 0.5, 0.2);
    const amdahl_fit fit = fit_amdahl(points).value();
    CHECK(fit.serial_fraction == 1);
    CHECK(fit.r2 == doctest::Approx(0));
    CHECK(fit_usl(points)->peak_n.value() == doctest::Approx(std::sqrt(0.5 / 0.2)));
}

TEST_CASE("constant throughput is fitted perfectly") {
    const std::vector<scaling_point> points{{1, 50}, {2, 50}, {3, 50}, {4, 50}};
    CHECK(fit_amdahl(points)->serial_fraction == doctest::Approx(1));
    CHECK(fit_amdahl(points)->r2 == 1);
    CHECK(fit_usl(points)->r2 == 1);
}

TEST_CASE("as many sizes as coefficients say nothing, nor does no throughput") {
    CHECK_FALSE(fit_amdahl({}));
    CHECK_FALSE(fit_amdahl(std::vector<scaling_point>{{1, 50}, {2, 90}, {2, 91}, {1, 51}}));
    CHECK_FALSE(fit_usl(std::vector<scaling_point>{{1, 50}, {2, 90}, {4, 150}, {4, 151}}));
    CHECK_FALSE(fit_usl(std::vector<scaling_point>{{1, 0}, {2, 0}, {3, 0}, {4, 0}}));
}

TEST_CASE("shares of nothing are equal") {
    CHECK(jain_index({}) == 1);
    CHECK(jain_index(std::vector<double>{0, 0, 0}) == 1);
}

TEST_CASE("saturation is the smallest size from which more agents gain little") {
    // 50 a first agent: less than 5 for each further one is little.
    const std::vector<scaling_point> saturated{{1, 50}, {2, 95}, {4, 150}, {8, 168}, {16, 180}, {32, 170}};
    CHECK(saturation_point(saturated).value() == 4);
    const std::vector<scaling_point> declining{{1, 50}, {2, 45}, {4, 40}};
    CHECK(saturation_point(declining).value() == 1);
    const std::vector<scaling_point> plateau_before_growth{{1, 50}, {2, 51}, {3, 150}, {4, 151}};
    CHECK(saturation_point(plateau_before_growth).value() == 3);
}

TEST_CASE("saturation that was not reached is not invented") {
    CHECK_FALSE(saturation_point({}));
    CHECK_FALSE(saturation_point(std::vector<scaling_point>{{4, 100}}));
    CHECK_FALSE(saturation_point(curve({1, 2, 4, 8, 16, 30, 31}, 50, 0.01, 0)));
    CHECK_FALSE(saturation_point(std::vector<scaling_point>{{1, 0}, {2, 0}}));
}

TEST_CASE("points of one size are averaged before saturation is looked for, in any order") {
    const std::vector<scaling_point> points{{8, 170}, {4, 140}, {1, 60}, {4, 160}, {2, 95}, {1, 40}, {8, 166}};
    CHECK(saturation_point(points).value() == 4);
}
