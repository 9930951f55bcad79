// kind = "report": agents that read a folder of benchmark results, have it analysed, and write a report.
#pragma once

#include "agent/agent_task.hpp"
#include "profile/profile.hpp"
#include "workload/data_summary.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace chimera::host {

/// Made before the agents run: where the profile names no folder and its agents need one, the files are generated then,
/// the same for everyone. Nothing is written. read() may be called from several threads at once.
class report_corpus {
  public:
    explicit report_corpus(const profile&);

    /// Reads all of it. Blocks on file I/O: not for an executor's worker. Throws std::runtime_error when the folder, or
    /// not one file of it, can be read.
    data_summary read() const;

  private:
    std::filesystem::path folder_; ///< empty: the generated files
    std::vector<text_file> generated_;
};

/// kind = "report": reads the corpus off the executor's workers, asks for an analysis of it, parses the reply, asks for
/// a report that carries it, and writes the report into the agent's record. Throws when the corpus or a template cannot
/// be read; a failed request ends it, and is in the record.
sdk::task<void> make_report(agent_environment& env, llm_client& client);

/// Reads every template that the profile's agents would use. Throws template_error.
void check_prompts(const profile&);

} // namespace chimera::host
