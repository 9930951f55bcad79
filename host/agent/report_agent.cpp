#include "agent/report_agent.hpp"
namespace chimera::host { sdk::task<void> make_report(agent_environment&, llm_client&) { co_return; } }
