// The agent of the reports: ingest, analysis call, report call, report.
#pragma once

#include "agent/agent_task.hpp"

namespace chimera::host {

/// kind = "report": reads the corpus off the executor's workers, asks for an analysis of it, parses the reply, asks for
/// a report that carries it, and writes the report into the agent's record. Throws when the corpus or a template cannot
/// be read; a failed request ends it, and is in the record.
sdk::task<void> make_report(agent_environment& env, llm_client& client);

} // namespace chimera::host
