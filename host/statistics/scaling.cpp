#include "statistics/scaling.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <map>
#include <set>

namespace chimera::host::statistics {

double jain_index(sample shares) {
    double sum = 0, squares = 0;
    for (const double x : shares) {
        sum += x;
        squares += x * x;
    }
    return squares > 0 ? sum * sum / (static_cast<double>(shares.size()) * squares) : 1;
}

std::optional<double> saturation_point(std::span<const scaling_point> points) {
    std::map<double, std::vector<double>> by_n;
    for (const scaling_point& p : points) by_n[p.n].push_back(p.throughput);
    std::vector<scaling_point> curve;
    for (const auto& [n, throughputs] : by_n) curve.push_back({n, describe(throughputs).mean});
    if (curve.empty()) return std::nullopt;

    const double worthwhile = 0.1 * curve.front().throughput / curve.front().n;
    for (auto at = curve.begin(); at != curve.end() - 1; ++at) {
        const auto gains_little = [&](const scaling_point& later) {
            return later.throughput - at->throughput < worthwhile * (later.n - at->n);
        };
        if (std::all_of(at + 1, curve.end(), gains_little)) return at->n;
    }
    return std::nullopt;
}

// Least squares for throughput(n) = rate n / (1 + contention (n - 1) + coherency n (n - 1)) with contention in [0, 1]
// and coherency >= 0, and for Amdahl's law, which is the same without coherency.
//
// With c = (1, contention, coherency) / rate and v(n) = (1, n - 1, n (n - 1)) it is n / (c . v(n)). A solution inside
// the bounds is a free one; otherwise it lies where contention is 0 or 1 or coherency is 0, which removes a column of v
// or adds two up. So each such face is fitted freely, and the best fit that keeps the bounds is the answer.
namespace {

using vector3 = std::array<double, 3>;

enum class contention_is { zero, free, one };

struct face {
    contention_is contention;
    bool coherency; ///< free, otherwise 0

    /// A column of zeros is a coefficient that does not take part.
    vector3 columns(double n) const noexcept {
        return {contention == contention_is::one ? n : 1, contention == contention_is::free ? n - 1 : 0,
                coherency ? n * (n - 1) : 0};
    }
};

double dot(const vector3& a, const vector3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

/// Normal equations of linear least squares, and their solution by elimination.
struct normal_equations {
    std::array<vector3, 3> matrix{};
    vector3 right{};

    void add(const vector3& row, double target) {
        for (std::size_t i = 0; i < 3; ++i) {
            for (std::size_t k = 0; k < 3; ++k) matrix[i][k] += row[i] * row[k];
            right[i] += row[i] * target;
        }
    }
    /// Marquardt's damping: the diagonal is enlarged by this part of itself. A column of zeros gives 0.
    vector3 solve(double damping) const {
        auto m = matrix;
        vector3 x = right;
        for (std::size_t i = 0; i < 3; ++i) m[i][i] = m[i][i] > 0 ? m[i][i] * (1 + damping) : 1;
        for (std::size_t i = 0; i < 3; ++i)
            for (std::size_t below = i + 1; below < 3; ++below) {
                const double factor = m[below][i] / m[i][i];
                for (std::size_t k = i; k < 3; ++k) m[below][k] -= factor * m[i][k];
                x[below] -= factor * x[i];
            }
        for (std::size_t i = 3; i-- > 0;) {
            for (std::size_t k = i + 1; k < 3; ++k) x[i] -= m[i][k] * x[k];
            x[i] /= m[i][i];
        }
        return x;
    }
};

/// Sum of squared distances in throughput; infinite where the model has none.
double residual(const face& f, const vector3& c, std::span<const scaling_point> points) {
    double sum = 0;
    for (const scaling_point& p : points) {
        const double cost = dot(c, f.columns(p.n));
        if (!(cost > 0)) return std::numeric_limits<double>::infinity();
        sum += (p.throughput - p.n / cost) * (p.throughput - p.n / cost);
    }
    return sum;
}

/// The best of a few laws all over the face, each with the rate that suits it best: where the search begins, so that it
/// does not end in a local minimum.
vector3 rough_fit(const face& f, std::span<const scaling_point> points) {
    vector3 best{};
    double least = std::numeric_limits<double>::infinity();
    for (const double contention : {0.0, 0.01, 0.1, 0.3, 0.6, 0.9})
        for (const double coherency : {0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0}) {
            double along = 0, length = 0; // of the points on the law with rate 1
            for (const scaling_point& p : points) {
                const double law = p.n / dot({1, contention, coherency}, f.columns(p.n));
                along += p.throughput * law;
                length += law * law;
            }
            const double rate = along / length;
            const vector3 c{1 / rate, contention / rate, coherency / rate};
            const double error = residual(f, c, points);
            if (error >= least) continue;
            best = c;
            least = error;
        }
    return best;
}

/// Levenberg and Marquardt's method.
vector3 fit_freely(const face& f, std::span<const scaling_point> points) {
    vector3 c = rough_fit(f, points);
    double error = residual(f, c, points);
    double damping = 1e-3;
    for (int iteration = 0; iteration < 100 && damping < 1e12; ++iteration) {
        normal_equations step;
        for (const scaling_point& p : points) {
            vector3 row = f.columns(p.n);
            const double cost = dot(c, row);
            for (double& x : row) x *= -p.n / (cost * cost);
            step.add(row, p.throughput - p.n / cost);
        }
        const vector3 by = step.solve(damping);
        const vector3 next = {c[0] + by[0], c[1] + by[1], c[2] + by[2]};
        const double next_error = residual(f, next, points);
        if (next_error <= error * (1 + 1e-12)) { // at the minimum, rounding shall not end the last steps
            c = next;
            error = next_error;
            damping /= 10;
        } else {
            damping = std::max(damping * 10, 1e-9);
        }
    }
    return c;
}

/// The best fit that keeps the bounds. The faces include proportional growth and no growth, which always do.
std::optional<usl_fit> fit_within_bounds(std::span<const scaling_point> points, std::size_t least_sizes,
                                         std::initializer_list<face> faces) {
    std::set<double> sizes;
    double highest = 0;
    for (const scaling_point& p : points) {
        sizes.insert(p.n);
        highest = std::max(highest, p.throughput);
    }
    if (sizes.size() < least_sizes || highest <= 0) return std::nullopt;
    std::vector<scaling_point> relative; // to the highest throughput: no unit is too large or too small to be squared
    std::vector<double> throughputs;
    for (const scaling_point& p : points) {
        throughputs.push_back(p.throughput / highest);
        relative.push_back({p.n, throughputs.back()});
    }

    usl_fit best{};
    double least = std::numeric_limits<double>::infinity();
    for (const face& f : faces) {
        const vector3 c = fit_freely(f, relative);
        const double contention = f.contention == contention_is::one ? 1 : c[1] / c[0], coherency = c[2] / c[0];
        const double error = residual(f, c, relative);
        if (!(c[0] > 0 && contention >= 0 && contention <= 1 && coherency >= 0 && error < least)) continue;
        least = error;
        best = {contention, coherency, highest / c[0], 0, std::nullopt};
    }
    const double total = moments_of(throughputs).squares;
    best.r2 = total > 0 ? std::max(0.0, 1 - least / total) : 1;
    if (best.coherency > 0) best.peak_n = std::sqrt((1 - best.contention) / best.coherency);
    return best;
}

} // namespace

std::optional<amdahl_fit> fit_amdahl(std::span<const scaling_point> points) {
    using enum contention_is;
    const auto fit = fit_within_bounds(points, 3, {{free, false}, {zero, false}, {one, false}});
    if (!fit) return std::nullopt;
    return amdahl_fit{fit->contention, fit->rate, fit->r2};
}

std::optional<usl_fit> fit_usl(std::span<const scaling_point> points) {
    using enum contention_is;
    return fit_within_bounds(points, 4,
                             {{free, true}, {zero, true}, {one, true}, {free, false}, {zero, false}, {one, false}});
}

} // namespace chimera::host::statistics
