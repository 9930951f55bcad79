// How throughput grows with the number of agents.
#pragma once

#include "statistics/description.hpp"

namespace chimera::host::statistics {

/// n agents (at least 1) reached this throughput (not negative, in any unit). A size may occur more than once.
struct scaling_point {
    double n, throughput;
};

// Both fits are least squares in throughput, so that their r2, 1 - residual / total sum of squares, can be compared. It
// is in [0, 1], and 1 where throughput is the same at every point.

/// throughput(n) = rate n / (1 + serial_fraction (n - 1)) (Amdahl, AFIPS 30, 1967), with rate that of one agent.
struct amdahl_fit {
    double serial_fraction; ///< in [0, 1]; 1: more agents do not help
    double rate;
    double r2;
};

/// throughput(n) = rate n / (1 + contention (n - 1) + coherency n (n - 1)): the Universal Scalability Law (Gunther,
/// Guerrilla Capacity Planning, 2007, chapters 4 to 6).
struct usl_fit {
    double contention; ///< in [0, 1]
    double coherency;  ///< not negative
    double rate;       ///< throughput of one agent
    double r2;
    /// The n of the highest throughput, sqrt((1 - contention) / coherency); nothing where coherency is 0: there is
    /// none.
    std::optional<double> peak_n;
};

/// Nothing for fewer than three different n (the curve would pass through any points), or no throughput at all.
std::optional<amdahl_fit> fit_amdahl(std::span<const scaling_point>);

/// Nothing for fewer than four different n, for the same reason, or no throughput at all.
std::optional<usl_fit> fit_usl(std::span<const scaling_point>);

/// Fairness of shares: sum(x)^2 / (n sum(x^2)), 1 where all are equal, 1 / n where one has all (Jain, Chiu and Hawe,
/// DEC TR-301, 1984). Shares are not negative; 1 where there are none or all are 0.
double jain_index(sample shares);

/// The smallest measured n from which no larger one gains, for each further agent, a tenth of the throughput that an
/// agent has at the smallest n; points of equal n are averaged. Nothing where that is the largest n: saturation was not
/// reached. The idea is that of the knee (Jain, The Art of Computer Systems Performance Analysis, 1991, section 3.3),
/// the tenth is Chimera's choice.
std::optional<double> saturation_point(std::span<const scaling_point>);

} // namespace chimera::host::statistics
