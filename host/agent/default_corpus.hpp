// The folder that report agents ingest: the profile's, or a generated one.
#pragma once

#include "profile/profile.hpp"

#include <filesystem>

namespace chimera::host {

/// Where the profile names no corpus and its agents need one, a generated corpus in a temporary folder, which goes with
/// this object. Throws std::system_error when it cannot be written.
class default_corpus {
  public:
    explicit default_corpus(const profile&);
    ~default_corpus();
    default_corpus(const default_corpus&) = delete;
    default_corpus& operator=(const default_corpus&) = delete;

    const std::filesystem::path& folder() const noexcept { return folder_; }

  private:
    std::filesystem::path folder_;
    bool temporary_ = false;
};

} // namespace chimera::host
