// The result folder: results/<profile>/<config>/run_N/.
#pragma once

#include "profile/profile.hpp"
#include "report/summary.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <utility>

namespace chimera::host {

/// One campaign's folder. Runs are added to what is there, never over it: run numbers go on where the folder's stop.
class result_files {
  public:
    /// Makes <output>/<profile>/<config>/ and writes the resolved profile into it. A folder of that name that holds
    /// another configuration is left alone; the name then gets the configuration's hash. Throws result_file_error.
    result_files(const profile&, const std::filesystem::path& output);

    /// A cell of a sweep: writes run number `run` into this folder, which is there, under that very number.
    static result_files of_cell(const profile&, std::filesystem::path folder, int run);

    const std::filesystem::path& folder() const noexcept { return folder_; }

    /// Writes the next free run_N (result/run_folder.hpp) and gives the run that number. Several processes may add to
    /// one folder. The run's texts are forgotten. Returns the metrics of this run alone.
    campaign_metrics add(run_record&);
    /// Writes summary.json, over an earlier one, with the seals of the runs that were added. Nothing for a cell: one
    /// run of several is no summary.
    void summarize(const campaign_summary&);

  private:
    void sync_folder(const std::filesystem::path& added);

    result_files(const profile& p, std::filesystem::path folder, int cell)
        : profile_(p), folder_(std::move(folder)), cell_(cell) {}

    const profile& profile_;
    std::filesystem::path folder_;
    int cell_ = 0;                             ///< 0: a campaign
    bool way_is_synced_ = false;               ///< profile.toml and the folders that lead to folder_
    std::map<std::string, std::string> seals_; ///< of the metrics.json of each run that was added, by its folder's name
};

/// Writes profile.toml, unless it is there: the resolved profile, below a line that names its configuration. It is on
/// the disk with the first run that is added: nobody waits for a disk before there is something to lose. Errors:
/// result_file_error.
void write_profile(const std::filesystem::path& folder, const profile&);

/// What is wrong with the folder's profile.toml, as "FILE: what is wrong; what to do": it was changed, or it names
/// another configuration than this (empty: any). Empty: nothing, or it is not there.
std::string fault_of_profile(const std::filesystem::path& folder, const std::string& config_hash);

} // namespace chimera::host
