// A sweep on disk: sweep.json (its plan) and cells.jsonl (a line for each cell that is done).
#pragma once

#include "result/campaign_result.hpp"

namespace chimera::host {

inline constexpr int sweep_schema_version = 1;

/// A variant under study.
struct planned_runtime {
    std::string name;
    std::optional<std::string> description, executor, transport, foreign; ///< nothing: not recorded
    std::optional<std::string> coordinator{};                             ///< nothing: none, or not recorded
};
template <>
inline constexpr auto fields_of<planned_runtime> = field_list(
    field("name", &planned_runtime::name), field("description", &planned_runtime::description),
    field("executor", &planned_runtime::executor), field("foreign", &planned_runtime::foreign),
    field("transport", &planned_runtime::transport), field("coordinator", &planned_runtime::coordinator).left_out());

/// A set of parameters of the grid.
struct planned_configuration {
    std::string name;
    json parameters = json::object(); ///< {name: number, text or bool}
};
template <>
inline constexpr auto fields_of<planned_configuration> =
    field_list(field("name", &planned_configuration::name), field("parameters", &planned_configuration::parameters));

struct sweep_result {
    int schema_version = sweep_schema_version;
    std::string kind = "sweep", source = "chimera", name;
    std::optional<std::string> description, question, profile, order;
    std::optional<std::int64_t> seed;
    std::optional<int> runs;
    std::optional<double> until_ci_pct;
    std::optional<double> pause_s;                      ///< nothing: not recorded
    std::optional<std::string> before_cell, after_cell; ///< nothing: there is none
    std::optional<std::string> backend;
    std::vector<std::string> options;
    std::vector<planned_runtime> runtimes;
    std::vector<planned_configuration> configs;
    std::int64_t cells_planned = 0;
    json questions; ///< a question_set (host/questions); null: none
};
template <>
inline constexpr auto fields_of<sweep_result> = field_list(
    field("schema_version", &sweep_result::schema_version), field("kind", &sweep_result::kind).defaulted(),
    field("source", &sweep_result::source, "", "who measured: chimera, or tr115 for imported runs"),
    field("name", &sweep_result::name), field("description", &sweep_result::description),
    field("question", &sweep_result::question),
    field("profile", &sweep_result::profile, "", "the file that defines it"),
    field("order", &sweep_result::order, "", "in which the cells were run"), field("seed", &sweep_result::seed),
    field("runs", &sweep_result::runs, "", "of each runtime in each configuration"),
    field("until_ci_pct", &sweep_result::until_ci_pct, "points", "width of the interval at which runs end; 0: none"),
    field("pause_s", &sweep_result::pause_s, "s", "pause between cells").left_out(),
    field("before_cell", &sweep_result::before_cell, "", "command that was run before each cell").left_out(),
    field("after_cell", &sweep_result::after_cell, "", "command that was run after each cell").left_out(),
    field("backend", &sweep_result::backend, "", "simulator, server or mixed"),
    field("options", &sweep_result::options, "", "of the command line that changed the profile: --set, --url, ...")
        .left_out(),
    field("runtimes", &sweep_result::runtimes), field("configs", &sweep_result::configs),
    field("cells_planned", &sweep_result::cells_planned),
    field("questions", &sweep_result::questions, "", "claims, hypotheses, criteria, references and cost of the profile")
        .left_out());

enum class cell_status {
    ok,
    failed,     ///< the process ended by itself and said what went wrong, or a hook failed
    crashed,    ///< a signal ended it
    timed_out,  ///< it was killed at the time limit
    not_needed, ///< never run: the runs before it were enough (until_ci_pct)
    lost,       ///< it was ok, but its files are gone or damaged: it is to be run again
    interrupted ///< its server went away while it ran: it is to be run again
};
template <>
inline constexpr auto words_of_enum<cell_status> = std::array{std::pair{cell_status::ok, "ok"},
                                                              std::pair{cell_status::failed, "failed"},
                                                              std::pair{cell_status::crashed, "crashed"},
                                                              std::pair{cell_status::timed_out, "timed_out"},
                                                              std::pair{cell_status::not_needed, "not_needed"},
                                                              std::pair{cell_status::lost, "lost"},
                                                              std::pair{cell_status::interrupted, "interrupted"}};

/// Whether a cell with this last line is over: a lost or interrupted one is to be run again.
constexpr bool is_over(cell_status s) noexcept { return s != cell_status::lost && s != cell_status::interrupted; }
/// Whether it was run and did not succeed.
constexpr bool has_failed(cell_status s) noexcept {
    return s == cell_status::failed || s == cell_status::crashed || s == cell_status::timed_out;
}

/// A line of cells.jsonl.
struct cell_result {
    std::string runtime, config;
    int run = 0;
    std::optional<std::string> config_hash;
    cell_status status = cell_status::ok;
    std::string message; ///< why it is not ok
    std::optional<int> exit_status;
    std::optional<double> wall_s;             ///< nothing: the sweep was killed before it could say
    std::optional<double> efficiency_pct;     ///< the run's, or its estimate where no agent ran alone
    std::vector<alert_result> alerts;         ///< those that tripped: the cell's figures count all the same
    std::optional<std::string> metrics_crc32; ///< the seal of the run's metrics.json; nothing: it has none
    std::string folder;                       // last: the line without its seal should not look as if it had one
};
template <>
inline constexpr auto fields_of<cell_result> = field_list(
    field("runtime", &cell_result::runtime), field("config", &cell_result::config), field("run", &cell_result::run),
    field("config_hash", &cell_result::config_hash),
    field("status", &cell_result::status, "", "ok, failed, crashed, timed_out, not_needed, lost or interrupted"),
    field("message", &cell_result::message, "", "why it is not ok").defaulted(),
    field("exit_status", &cell_result::exit_status), field("wall_s", &cell_result::wall_s, "s"),
    field("efficiency_pct", &cell_result::efficiency_pct, "%", "or its estimate where no agent ran alone"),
    field("alerts", &cell_result::alerts, "", "limits of the profile that did not hold").left_out(),
    field("metrics_crc32", &cell_result::metrics_crc32, "", "seal of the run's metrics.json"),
    field("folder", &cell_result::folder, "", "below the sweep's"));

} // namespace chimera::host
