// One cell from the hook before it to the hook after it.
#pragma once

#include "sweep/cell_process.hpp"
#include "sweep/hook.hpp"
#include "sweep/sweep_keys.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// What a cell's course is made of. Everything is as `run` and a hook need it.
struct course_plan {
    std::filesystem::path program; ///< chimera-host
    std::filesystem::path group;   ///< the folder of the runtime and configuration; it is there, with its profile.toml
    std::string sweep, runtime, config;
    int run = 0;
    std::vector<std::string> arguments; ///< more words for `run`
    std::string api_key;
    double time_limit_s = 0;
    std::vector<std::string> servers; ///< URLs of the cell
    sweep_conduct conduct;
};

/// It goes from stage to stage; who owns it waits on end_fd() and the deadline and calls advance(). Its process or hook
/// ends with it. One thread.
class cell_course {
  public:
    using clock = std::chrono::steady_clock;
    enum class stage {
        before, ///< before_cell runs
        ready,  ///< measure() may be called
        measuring,
        measured, ///< finish() is to be called
        after,    ///< after_cell runs
        over
    };

    /// Begins: with before_cell if there is one. Throws std::system_error where it cannot be started.
    explicit cell_course(course_plan);

    stage at() const noexcept { return stage_; }
    /// When the stage began, UTC.
    const std::string& since() const noexcept { return since_; }
    /// Readable when what runs has ended; -1: nothing runs.
    int end_fd() const noexcept;
    /// When what runs is to be ended; the end of time if nothing runs.
    clock::time_point deadline() const noexcept;

    /// [ready] Starts the cell's process.
    void measure();
    /// [before, measuring or after] What runs has ended, or its deadline has passed. Throws as cell_process::collect()
    /// does.
    void advance();
    /// [measured] Begins after_cell if there is one. Until then nothing of the cell's runs, so what is seen of its
    /// servers is not the work of after_cell.
    void finish();
    /// [measuring has ended] What became of the cell. A hook that fails, or cannot be started, makes the cell fail.
    const cell_result& result() const noexcept { return result_; }

  private:
    void enter(stage);
    void fail(const std::string& fault);
    hook start_hook(const char* name, const std::string& line, std::vector<std::string> more = {}) const;

    course_plan plan_;
    stage stage_ = stage::ready;
    std::string since_;
    std::optional<hook> hook_;
    std::optional<cell_process> process_;
    cell_result result_;
};

/// "before_cell", "measuring", ...
const char* name_of(cell_course::stage) noexcept;

} // namespace chimera::host
