#include "statistics/description.hpp"

#include <doctest/doctest.h>

using namespace chimera::host::statistics;

TEST_CASE("an empty sample is described by zeros and no interval") {
    const description d = describe({});
    CHECK(d.n == 0);
    CHECK(d.mean == 0);
    CHECK(d.cv_pct == 0);
    CHECK_FALSE(d.ci95);
    CHECK(d.outliers.empty());
}

TEST_CASE("one value has no deviation and no interval") {
    const description d = describe(std::vector<double>{87.5});
    CHECK(d.n == 1);
    CHECK(d.mean == 87.5);
    CHECK(d.median == 87.5);
    CHECK(d.sd == 0);
    CHECK_FALSE(d.ci95);
    CHECK(d.outliers.empty());
}

TEST_CASE("equal values do not vary, also those that binary cannot hold") {
    const description d = describe(std::vector<double>(7, 0.1));
    CHECK(d.mean == 0.1);
    CHECK(d.sd == 0);
    CHECK(d.cv_pct == 0);
    REQUIRE(d.ci95);
    CHECK(d.ci95->low == 0.1);
    CHECK(d.ci95->high == 0.1);
    CHECK(d.outliers.empty());
}

TEST_CASE("a mean of 0 has a deviation, and no coefficient of variation") {
    const description d = describe(std::vector<double>{-1, 1});
    CHECK(d.sd > 0);
    CHECK(d.cv_pct == 0);
}

TEST_CASE("outliers are marked by their index and still count") {
    const description d = describe(std::vector<double>{90, 50, 91, 89, 90.5, 130});
    CHECK(d.outliers == std::vector<std::size_t>{1, 5});
    CHECK(d.n == 6);
    CHECK(d.min == 50);
    CHECK(d.max == 130);
    CHECK(d.median == 90.25);
}
