// Where the runs of a study come from, as its report shows it.
#pragma once

#include "result/json_fields.hpp"

namespace chimera::host {

/// The machine, the program, a plugin or a server of some runs.
struct provenance_line {
    std::string subject; ///< "machine", "program", "plugin" or "server"
    std::string text;    ///< in words (provenance/in_words.hpp)
    std::size_t runs = 0;
    std::string where; ///< which runs, where it is not all that say where they come from; empty: all
};
template <>
inline constexpr auto fields_of<provenance_line> = field_list(field("subject", &provenance_line::subject),
                                                              field("text", &provenance_line::text),
                                                              field("runs", &provenance_line::runs),
                                                              field("where", &provenance_line::where));

/// Over the successful runs.
struct provenance_report {
    std::string first_begun, last_begun; ///< UTC: the first and the last campaign that the runs are of
    std::size_t runs = 0;                ///< that say where they come from
    std::size_t runs_without = 0;
    std::vector<provenance_line> lines;
    /// A sentence for each of machines, builds, plugins, servers and models that is not the same in all runs, where it
    /// can have changed the figures.
    std::vector<std::string> differences;

    std::size_t machines() const {
        return static_cast<std::size_t>(std::ranges::count(lines, "machine", &provenance_line::subject));
    }
};
template <>
inline constexpr auto fields_of<provenance_report> = field_list(field("first_begun", &provenance_report::first_begun),
                                                                field("last_begun", &provenance_report::last_begun),
                                                                field("runs", &provenance_report::runs),
                                                                field("runs_without", &provenance_report::runs_without),
                                                                field("lines", &provenance_report::lines),
                                                                field("differences", &provenance_report::differences));

} // namespace chimera::host
