#pragma once
#include "profile/document.hpp"
#include "profile/profile.hpp"
#include <chimera/abi/option.h>
#include <concepts>
#include <filesystem>
#include <functional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace chimera::host {

/// A plugin's option schema, or why there is none.
struct schema_answer {
    std::span<const chm_option> options; ///< alive until the process ends
    std::string error;                   ///< not empty: the plugin is not usable, and why
};

/// The source of plugins' schemas. A plugin is named by id or by absolute path; directory is the profile's folder,
/// which is searched first for an id. Both functions are called on the loading thread.
struct schema_lookup {
    using ask_function =
        std::function<schema_answer(plugin_kind, const std::string& plugin, const std::filesystem::path& directory)>;
    using expect_function =
        std::function<void(std::span<const std::string> plugins, const std::filesystem::path& directory)>;

    template <std::convertible_to<ask_function> Ask>
    schema_lookup(Ask how, expect_function first = {}) : ask(std::move(how)), expect(std::move(first)) {}

    /// May throw std::exception; its what() becomes the error.
    ask_function ask;
    /// Receives all plugins that a profile is going to ask for, so that they can be loaded together. May be empty.
    expect_function expect;
};

/// Changes by the command line. Applied in this order, the later ones win; a --set always wins.
struct profile_overrides {
    std::vector<std::string> urls;    ///< --url: replaces backend.urls and every agent's url, round-robin
    std::optional<std::string> model; ///< --model: for every agent
    std::optional<std::int64_t> runs, warmup, seed;
    std::vector<std::string> sets; ///< --set: "dotted.path=value"
};

/// All faults of a profile. what() has one line for each:
///   file:line:column: key: what is wrong; what to do
class profile_error : public std::runtime_error {
  public:
    explicit profile_error(std::vector<std::string> faults);
    const std::vector<std::string>& faults() const { return faults_; }

  private:
    std::vector<std::string> faults_;
};

/// Reads a profile, applies the overrides, checks everything and fills in defaults. Relative paths are relative to the
/// file's folder, or in a --set to the working directory. Errors: profile_error with all faults.
/// Thread: any; one call at a time per lookup.
profile load_profile(const std::filesystem::path& file, const schema_lookup&, const profile_overrides& = {});

/// The same for a text. source: the file that it comes from, for messages and relative paths.
profile parse_profile(std::string_view toml, const std::filesystem::path& source, const schema_lookup&,
                      const profile_overrides& = {});

/// Finds the profile that `given` names: that file, or if there is none and `given` is a bare name ("smol1kb"), the
/// installed profile of that name.
std::filesystem::path find_profile(const std::filesystem::path& given);

/// The text of a file. Errors: profile_error, with the nearest existing file.
std::string read_profile_text(const std::filesystem::path& file);

/// The last step of both, for a document that was built elsewhere. source as in parse_profile.
profile resolve_profile(node root, const std::filesystem::path& source, const schema_lookup&,
                        std::vector<std::string> faults = {});

} // namespace chimera::host
