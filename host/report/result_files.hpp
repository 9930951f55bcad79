// The result folder: results/<profile>/<config>/run_N/. A file is there whole or not at all.
#pragma once

#include "profile/profile.hpp"
#include "report/summary.hpp"

#include <filesystem>

namespace chimera::host {

/// One campaign's folder. Runs are added to what is there, never over it: run numbers go on where the folder's stop.
class result_files {
  public:
    /// Makes <output>/<profile>/<config>/ and writes the resolved profile into it. A folder of that name that holds
    /// another configuration is left alone; the name then gets the configuration's hash. Throws std::system_error
    /// naming the path.
    result_files(const profile&, const std::filesystem::path& output);

    const std::filesystem::path& folder() const noexcept { return folder_; }

    /// Writes the next free run_N and gives the run that number: reports, prompts, responses, requests.jsonl, and last
    /// metrics.json, which says that the run is complete. Several processes may add to one folder.
    void add(run_record&);
    /// Writes summary.json, over an earlier one.
    void summarize(const campaign_summary&);

  private:
    const profile& profile_;
    std::filesystem::path folder_;
};

/// Writes a file under a temporary name, syncs it and renames it. Throws std::system_error naming the path.
void write_whole(const std::filesystem::path&, std::string_view content);

} // namespace chimera::host
