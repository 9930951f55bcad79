#include "agent/prompt_check.hpp"

#include "workload/agent_prompts.hpp"

namespace chimera::host {

void check_prompts(const profile& p) {
    const workload_spec& w = p.workload;
    if (w.kind != workload_kind::report) return;
    for (const agent_spec& a : w.agents)
        analysis_template(a.prompt_template.empty() ? w.analysis_template : a.prompt_template, a.id);
    report_template(w.report_template);
}

} // namespace chimera::host
