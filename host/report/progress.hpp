// What the user sees while a campaign runs: a bar on a terminal, plain lines elsewhere, or nothing.
#pragma once

#include "run/campaign.hpp"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace chimera::host {

enum class progress_style { bar, lines, none };

/// The style for "auto": a bar where standard error is a terminal, lines elsewhere.
progress_style progress_style_for_terminal();

/// Writes to standard error. Functions: the thread that runs the campaign. Colour only in a bar, and not with NO_COLOR
/// set.
class progress {
  public:
    /// The control is read for the tokens received so far; it outlives this object.
    progress(progress_style, const profile&, const execution_control&);
    ~progress();
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;

    void begins(const planned_execution&, std::size_t index, std::size_t of);
    void run_done(const run_record&);

  private:
    void draw_until_closed();
    void draw(); // mutex_ held
    void erase();

    const progress_style style_;
    const profile& profile_;
    const execution_control& control_;
    const bool color_;

    std::mutex mutex_;
    std::condition_variable closing_;
    bool closed_ = false;
    std::size_t index_ = 0, of_ = 0;
    std::string now_;
    std::uint64_t tokens_before_ = 0; // this execution
    std::thread drawer_;              // a bar is redrawn ten times a second
};

} // namespace chimera::host
