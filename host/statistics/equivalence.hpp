// Is a mean this value, and are two means the same, up to a margin? Absence of a difference that one can detect is no
// evidence of equality; these tests are.
#pragma once

#include "statistics/description.hpp"

namespace chimera::host::statistics {

/// difference = mean - reference, with its 95 % confidence interval; p is two-sided.
struct one_sample_result {
    double difference;
    interval ci95;
    double t, df, p;
};

/// Student's t test of a mean against a value that is known without error, as a published one is taken to be (Student,
/// Biometrika 6, 1908). Where the sample does not vary, a mean equal to the reference gives t = 0 and p = 1; another
/// mean gives no result: t would be infinite, without any evidence of how the values scatter.
/// Nothing for fewer than two values.
std::optional<one_sample_result> one_sample(sample, double reference);

/// One-sided p of "mean(a) - mean(b) is above this": small where the difference exceeds the margin by more than chance.
/// Welch's t test of a shifted difference. margin may be negative: then a may be lower by that much ("not inferior").
/// Where neither sample varies: 0 or 1, as the difference is above the margin or not. Nothing for fewer than two values
/// in either sample.
std::optional<double> p_above(sample a, sample b, double margin);
/// The same of mean - reference, by Student's t test.
std::optional<double> p_above(sample, double reference, double margin);

/// p is the larger of the two one-sided tests: below 0.05, the difference lies within -margin to +margin. That is so
/// exactly where ci90 does.
struct equivalence_result {
    double difference, p;
    interval ci90;
};

/// Two one-sided tests, TOST (Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987), by Welch's t test. Requires margin >
/// 0. Where neither sample varies, p is 0 or 1. Nothing for fewer than two values in either sample.
std::optional<equivalence_result> equivalence(sample a, sample b, double margin);
/// The same of a mean and a reference.
std::optional<equivalence_result> equivalence(sample, double reference, double margin);

} // namespace chimera::host::statistics
