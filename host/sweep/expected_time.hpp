// How long the cells that are left will take, from those that are done.
#pragma once

#include "result/sweep_result.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>

namespace chimera::host {

/// The times of the cells that were run. One thread at a time.
class cell_times {
  public:
    /// Cells that failed early, and those without a time, are passed over.
    void add(const cell_result&);

    /// The mean over the cells of this runtime and configuration; if there are none, of this configuration; else of
    /// all. Nothing: no cell has a time.
    std::optional<double> expected_s(const std::string& runtime, const std::string& config) const;

  private:
    struct total {
        double seconds = 0;
        std::size_t cells = 0;
    };
    std::map<std::pair<std::string, std::string>, total> of_group_;
    std::map<std::string, total> of_config_;
    total all_;
};

/// "45 s", "12 min", "3 h 5 min".
std::string duration_in_words(double seconds);

} // namespace chimera::host
