#include "made_study.hpp"
#include "study/cost.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;
using namespace chimera::test;

namespace {

/// Throughputs of 100 and 125 tok/s, efficiencies of 90 and 80 %.
study two_runtimes() {
    made_study m("throughput_tok_s");
    m.add("base", "x", {99, 100, 101, 100}).add("fast", "x", {124, 125, 126, 125}).add("same", "x", {90, 110, 95, 105});
    m.add("efficiency_pct", "base", "x", {90, 90, 90, 90}).add("efficiency_pct", "fast", "x", {80, 80, 80, 80});
    return m.study();
}

cost_report costs(const cost_spec& c, study s = two_runtimes()) {
    question_set q;
    q.cost = c;
    s.questions = {q};
    const auto all = costs_of(s);
    REQUIRE(all.size() == 1);
    return all[0];
}

} // namespace

TEST_CASE("a million tokens cost an hour's price for the time that they take") {
    cost_spec c;
    c.server_per_hour = 3.0;
    c.servers = 2;
    c.client_per_hour = 1.2;
    c.tokens_per_month = 1e9;
    c.development = 5000;
    const cost_report r = costs(c);
    CHECK(r.baseline == "base");
    CHECK(*r.runtimes[0].per_million_tokens == doctest::Approx(7.2 / 0.36)); // 100 tok/s are 0.36 million an hour
    CHECK(*r.runtimes[0].per_month == doctest::Approx(20'000));
    CHECK(!r.runtimes[0].saved_per_month);
    CHECK(*r.runtimes[1].per_million_tokens == doctest::Approx(16));
    CHECK(*r.runtimes[1].saved_per_month == doctest::Approx(4000));
    CHECK(*r.runtimes[1].break_even_months == doctest::Approx(1.25));
    CHECK(r.runtimes[1].note.empty());
    CHECK(r.runtimes[0].per_million_ci95->low < 20);
    CHECK(r.runtimes[0].per_million_ci95->high > 20);
    // The same work at 91 % takes 90 / 91 of the time.
    CHECK(*r.runtimes[0].point_per_month == doctest::Approx(20'000 * (1 - 90.0 / 91)));
    for (const cost_formula& f : r.formulas) CHECK(f.provenance == "estimated");
    CHECK(r.formulas.size() == 5);
}

TEST_CASE("a saving that may be chance says so, and one that is none is never paid back") {
    cost_spec c;
    c.monthly_bill = 100'000;
    c.development = 1000;
    const cost_report r = costs(c);
    CHECK(*r.runtimes[1].per_month == doctest::Approx(80'000));
    CHECK(*r.runtimes[2].saved_per_month == 0);
    CHECK(r.runtimes[2].note == "It saves nothing, so the development is never paid back.");
    c.baseline = "fast";
    const cost_report reversed = costs(c);
    CHECK(*reversed.runtimes[0].saved_per_month == doctest::Approx(-25'000));
    CHECK(reversed.runtimes[0].note == "It saves nothing, so the development is never paid back.");
    CHECK(!reversed.runtimes[0].break_even_months);
    made_study m("throughput_tok_s");
    m.add("base", "x", {99, 100, 101}).add("noisy", "x", {90, 110, 104});
    const cost_report noisy = costs(c, m.study());
    CHECK(noisy.runtimes[1].note.starts_with("Its throughput does not differ detectably from that of base (p "));
}

TEST_CASE("a hosted model costs the same under every runtime") {
    cost_spec c;
    c.per_million_tokens = 0.5;
    c.tokens_per_month = 2e6;
    const cost_report r = costs(c);
    for (const runtime_cost& runtime : r.runtimes) CHECK(*runtime.per_month == 1);
    CHECK(*r.runtimes[1].saved_per_month == 0);
}

TEST_CASE("prices from which nothing follows make no table") {
    study s = two_runtimes();
    question_set q;
    q.cost = cost_spec{};
    q.cost->development = 5000;
    s.questions = {q};
    CHECK(costs_of(s).empty());
    made_study m;
    m.add("a", "x", {90, 91}); // no throughput
    q.cost->server_per_hour = 1;
    m.study().questions = {q};
    CHECK(costs_of(m.study()).empty());
}
