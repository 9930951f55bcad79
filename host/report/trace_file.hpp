// `--trace FILE`: the trace of a campaign, on disk.
#pragma once

#include "profile/profile.hpp"
#include "report/trace_events.hpp"
#include "run/campaign.hpp"

#include <chimera/sdk/owned_fd.hpp>

#include <filesystem>
#include <string_view>

namespace chimera::host {

/// A JSON object that is whole after each execution: what follows is written over its closing brackets. Functions: the
/// thread that runs the campaign. Throws std::system_error naming the path; what was written before stays readable.
class trace_file {
  public:
    /// Makes the file, or empties it.
    trace_file(std::filesystem::path, const profile&);

    void add(const planned_execution&, const execution_record&);

  private:
    void write_at_end(std::string_view text);

    const std::filesystem::path path_;
    const profile& profile_;
    trace_events events_;
    sdk::owned_fd fd_;
    std::size_t end_ = 0; // where the closing brackets are
    bool empty_ = true;
};

} // namespace chimera::host
