#include "measure/distribution.hpp"

#include <doctest/doctest.h>

using chimera::host::describe;

TEST_CASE("figures of 1 to 10 are those of numpy") {
    // numpy.std(ddof=1) and numpy.percentile (linear) of [1..10]
    const auto d = describe({10, 9, 8, 7, 6, 5, 4, 3, 2, 1});
    CHECK(d.n == 10);
    CHECK(d.mean == doctest::Approx(5.5));
    CHECK(d.std == doctest::Approx(3.0276503540974917));
    CHECK(d.min == 1);
    CHECK(d.max == 10);
    CHECK(d.p50 == doctest::Approx(5.5));
    CHECK(d.p90 == doctest::Approx(9.1));
    CHECK(d.p95 == doctest::Approx(9.55));
    CHECK(d.p99 == doctest::Approx(9.91));
}

TEST_CASE("small samples") {
    CHECK(describe({}).n == 0);
    const auto one = describe({3});
    CHECK(one.std == 0);
    CHECK(one.p99 == 3);
}
