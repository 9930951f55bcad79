// kind = "report": agents that read a folder of benchmark results, have it analysed, and write a report.
#pragma once

#include "agent/agent_task.hpp"
#include "profile/profile.hpp"
#include "workload/data_summary.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace chimera::host {

/// The files that report agents read: the profile's folder, or files that are generated in memory, the same for every
/// agent. Create it before the agents run. Any thread may call read().
class report_corpus {
  public:
    explicit report_corpus(const profile&);

    /// Reads all files. Blocks on file I/O: do not call it on an executor's worker. Throws std::runtime_error if the
    /// folder cannot be read, or none of its files can.
    data_summary read() const;

  private:
    std::filesystem::path folder_; ///< empty: the generated files
    std::vector<text_file> generated_;
};

/// Reads the corpus on another thread, asks for an analysis of it, parses the reply, asks for a report of that
/// analysis, and writes the report into the agent's record. Throws if the corpus or a template cannot be read. A failed
/// request ends it, and is in the record.
sdk::task<void> make_report(agent_environment& env, llm_client& client);

/// Reads each template that the profile's agents will use, to find a bad one before anything runs. Throws
/// template_error.
void check_prompts(const profile&);

} // namespace chimera::host
