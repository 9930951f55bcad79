// How far a sweep is, from its folder: `sweep status`, and the document of the live page. Nothing is changed by
// looking.
#pragma once

#include "result/sweep_result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace chimera::host {

/// A cell that is being run.
struct cell_at_work {
    std::string runtime, config;
    int run = 0;
    std::string doing; ///< "before_cell", "waiting for its server", "measuring", "after_cell"
    std::string since; ///< UTC
};
template <>
inline constexpr auto fields_of<cell_at_work> = field_list(
    field("runtime", &cell_at_work::runtime), field("config", &cell_at_work::config), field("run", &cell_at_work::run),
    field("doing", &cell_at_work::doing, "", "before_cell, waiting for its server, measuring or after_cell"),
    field("since", &cell_at_work::since, "", "UTC"));

/// running.json: what a sweep does at this moment. It is there while the sweep runs. A sweep that was killed leaves it;
/// it then says nothing, because nobody holds the journal.
struct sweep_now {
    std::int64_t pid = 0;
    std::string began; ///< UTC: when this process began, which may have resumed the sweep
    int jobs = 1;
    std::uint64_t wanted = 0;           ///< cells of this process's --only, done or not
    std::vector<cell_at_work> cells;    ///< at most `jobs`
    std::optional<std::string> awaited; ///< a server that cannot be reached; the sweep waits for it
};
template <>
inline constexpr auto
    fields_of<sweep_now> = field_list(field("pid", &sweep_now::pid),
                                      field("began", &sweep_now::began, "", "UTC: when this process began"),
                                      field("jobs", &sweep_now::jobs, "", "cells at a time"),
                                      field("wanted", &sweep_now::wanted, "", "cells of this process's --only"),
                                      field("cells", &sweep_now::cells, "", "those that are being run").defaulted(),
                                      field("awaited", &sweep_now::awaited, "", "a server that cannot be reached"));

/// <folder>/running.json, without waiting for the disk.
std::filesystem::path file_of_now(const std::filesystem::path& folder);

/// The cells of one runtime in one configuration.
struct group_progress {
    std::string runtime, config;
    std::uint64_t planned = 0, ok = 0, failed = 0, not_needed = 0, left = 0;
    std::optional<double> cell_s; ///< mean time of a cell; nothing: none is done
};
template <>
inline constexpr auto fields_of<group_progress> = field_list(
    field("runtime", &group_progress::runtime), field("config", &group_progress::config),
    field("planned", &group_progress::planned), field("ok", &group_progress::ok),
    field("failed", &group_progress::failed), field("not_needed", &group_progress::not_needed),
    field("left", &group_progress::left), field("cell_s", &group_progress::cell_s, "s", "mean time of a cell"));

/// A cell that failed, or one in which alerts tripped.
struct noted_cell {
    std::string runtime, config;
    int run = 0;
    cell_status status = cell_status::ok;
    std::string message;
    std::vector<alert_result> alerts;
};
template <>
inline constexpr auto
    fields_of<noted_cell> = field_list(field("runtime", &noted_cell::runtime), field("config", &noted_cell::config),
                                       field("run", &noted_cell::run), field("status", &noted_cell::status),
                                       field("message", &noted_cell::message),
                                       field("alerts", &noted_cell::alerts, "", "those that tripped").left_out());

struct sweep_status {
    int schema_version = 1;
    std::string kind = "sweep_status", name, folder;
    bool running = false;
    std::optional<sweep_now> now; ///< nothing: no sweep runs
    std::uint64_t planned = 0, done = 0, ok = 0, failed = 0, not_needed = 0, left = 0;
    double measured_s = 0;            ///< all cells together
    std::optional<double> running_s;  ///< since this process began; nothing: no sweep runs
    std::optional<double> expected_s; ///< for the cells that are left; nothing: not known
    std::vector<group_progress> groups;
    std::vector<noted_cell> failures, alerts;
};
template <>
inline constexpr auto fields_of<sweep_status> = field_list(
    field("schema_version", &sweep_status::schema_version), field("kind", &sweep_status::kind),
    field("name", &sweep_status::name), field("folder", &sweep_status::folder),
    field("running", &sweep_status::running, "", "a process holds the journal"), field("now", &sweep_status::now),
    field("planned", &sweep_status::planned), field("done", &sweep_status::done), field("ok", &sweep_status::ok),
    field("failed", &sweep_status::failed, "", "also crashed and timed out"),
    field("not_needed", &sweep_status::not_needed),
    field("left", &sweep_status::left, "", "also those that are lost or were interrupted"),
    field("measured_s", &sweep_status::measured_s, "s", "all cells together"),
    field("running_s", &sweep_status::running_s, "s", "since this process began"),
    field("expected_s", &sweep_status::expected_s, "s", "for the cells that are left"),
    field("groups", &sweep_status::groups), field("failures", &sweep_status::failures),
    field("alerts", &sweep_status::alerts, "", "cells in which alerts tripped"));

/// Looks at a sweep's folder. Throws results_error where it holds no sweep, or a file that cannot be read.
sweep_status read_status(const std::filesystem::path& folder);

/// For a terminal.
std::string to_text(const sweep_status&);

} // namespace chimera::host
