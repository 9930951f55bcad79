// Which runtime, configuration and run a file's path stands for.
#pragma once

#include <compare>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace chimera::host {

/// `--runtime FOLDER=NAME`: runs below FOLDER are those of the runtime NAME.
struct named_runtime {
    std::string folder; ///< one folder's name, or several of them: "multi/python"; "runtime-" before it may be left out
    std::string name;   ///< fit for a file name

    bool operator==(const named_runtime&) const = default;
};

/// Where a run is below the folder that was given. The originals ran a program that makes run_M folders once for each
/// run_N.
struct run_place {
    std::string runtime;
    std::string phase;  ///< the folders above the runtime's, joined with "_"; may be empty
    std::string model;  ///< the last folder between the runtime's and the configuration's; may be empty
    std::string config; ///< the configuration's folder
    int outer = 0, inner = 0;

    auto operator<=>(const run_place&) const = default;
};

/// The place of a run whose metrics.json has these folders above it, from the tree's down. A summary.json lists runs of
/// the folder that it is in, so their run_N is to be added.
///
/// Layout: [PHASE/...]RUNTIME/[MODEL/...]CONFIG/run_N[/run_M]; a folder "results" says nothing anywhere. The runtime's
/// folder is the one that is named, else the one that begins with "runtime-", else the only one above the
/// configuration's; where there is none, the tree itself is it. Returns a sentence where the path is none of a run, or
/// where nothing says which of its folders is the runtime's. Throws results_error where two named folders are in it.
std::variant<run_place, std::string> place_of(std::vector<std::string> folders, const std::string& tree_name,
                                              const std::vector<named_runtime>&);

/// The place of this named folder among others; where they do not have it: their number.
std::size_t position_of(const std::string& folder, const std::vector<std::string>& among);

/// The name of a tree: of its folder, or of the one above where that is "results".
std::string name_of_tree(const std::filesystem::path& tree);

/// The folders between a tree and a file.
std::vector<std::string> folders_between(const std::filesystem::path& tree, const std::filesystem::path& file);

/// The N of "run_N"; -1 for another name.
int run_number(const std::string& folder);

} // namespace chimera::host
