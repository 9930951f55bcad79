// How large a difference is, measured by how much the values scatter.
#pragma once

#include "statistics/description.hpp"

namespace chimera::host::statistics {

/// (mean(a) - mean(b)) / pooled standard deviation; 0 for equal means (Cohen, Statistical Power Analysis for the
/// Behavioral Sciences, 1988). Nothing for fewer than two values in either sample, or different means where neither
/// varies.
std::optional<double> cohens_d(sample a, sample b);

/// Cohen's d without its bias in small samples: d J(n_a + n_b - 2), J(m) = G(m / 2) / (sqrt(m / 2) G((m - 1) / 2)) with
/// the gamma function G (Hedges, J. Educ. Stat. 6, 1981). Nothing where d is nothing.
std::optional<double> hedges_g(sample a, sample b);

} // namespace chimera::host::statistics
