// The keys of [sweep] that have one value: what a sweep asks, and how its cells are run.
#pragma once

#include "profile/profile_keys.hpp"

#include <span>
#include <string>

namespace chimera::host {

/// How the cells are run, one after the other. Nothing of it changes what a cell measures, so none of it is in a cell's
/// profile or in its configuration hash.
struct sweep_conduct {
    double pause_s = 0;                  ///< nothing runs for this long between two cells
    std::string before_cell, after_cell; ///< lines for /bin/sh; empty: none
    double hook_limit_s = 300;           ///< a hook that takes longer is killed, and its cell fails
    /// A server that cannot be reached is waited for, and the sweep ends when that takes longer than this; 0: nobody
    /// looks, and cells fail.
    double wait_for_server_s = 600;
};

/// Every key of [sweep] with one value.
struct sweep_values {
    std::string question; ///< the question that the sweep answers; heads its report
    double until_ci_pct = 0;
    bool common_seed = true;
    sweep_conduct conduct;
};

/// The names, ranges, defaults and meanings of these keys. docs/sweep.md has them as a table.
std::span<const profile_key<sweep_values>> sweep_keys();

} // namespace chimera::host
