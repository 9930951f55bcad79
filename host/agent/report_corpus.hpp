// What report agents ingest: the profile's folder, or files that are generated and are only in memory.
#pragma once

#include "profile/profile.hpp"
#include "workload/ingest.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace chimera::host {

/// Made before the agents run: where the profile names no folder and its agents need one, the files are generated then,
/// the same for everyone. Nothing is written. read() may be called from several threads at once.
class report_corpus {
  public:
    explicit report_corpus(const profile&);

    /// Reads all of it. Blocks on file I/O: not for an executor's worker. Throws std::runtime_error when the folder, or
    /// not one file of it, can be read.
    data_summary read() const;

  private:
    std::filesystem::path folder_; ///< empty: the generated files
    std::vector<text_file> generated_;
};

} // namespace chimera::host
