#include "statistics/comparison.hpp"

#include "statistics/effect_size.hpp"
#include "statistics/holm.hpp"

#include <algorithm>

namespace chimera::host::statistics {
namespace {

comparison figures_of(sample a, sample b) {
    comparison c;
    c.a = describe(a);
    c.b = describe(b);
    c.difference = c.a.mean - c.b.mean;
    c.welch = welch(a, b);
    if (c.welch) c.ci95 = c.welch->ci95;
    c.mann_whitney = mann_whitney(a, b);
    c.cohens_d = cohens_d(a, b);
    c.hedges_g = hedges_g(a, b);
    return c;
}

bool enough_runs(const comparison& c) { return std::min(c.a.n, c.b.n) >= 3; }

verdict judge(const comparison& c) {
    if (!enough_runs(c)) return verdict::too_few_runs;
    if (c.p_holm < significance_level) return c.difference > 0 ? verdict::a_higher : verdict::b_higher;
    return c.welch ? verdict::no_detectable_difference : verdict::too_few_runs;
}

} // namespace

std::vector<comparison> compare_pairs(std::span<const std::pair<sample, sample>> pairs) {
    std::vector<comparison> result;
    for (const auto& [a, b] : pairs) result.push_back(figures_of(a, b));

    std::vector<double> p;
    for (const comparison& c : result)
        if (enough_runs(c)) p.push_back(c.welch ? c.welch->p : c.mann_whitney->p);
    const std::vector<double> adjusted = holm(p);
    auto next = adjusted.begin();
    for (comparison& c : result) {
        if (enough_runs(c)) c.p_holm = *next++;
        c.says = judge(c);
    }
    return result;
}

} // namespace chimera::host::statistics
