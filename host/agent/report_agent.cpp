#include "agent/report_agent.hpp"

#include "agent/agent_group.hpp"

#include "workload/agent_report.hpp"
#include "workload/analysis.hpp"
#include "workload/corpus.hpp"
#include "workload/prompt_template.hpp"

#include <cstdint>
#include <stdexcept>
#include <utility>

namespace chimera::host {

namespace {

constexpr std::uint64_t corpus_seed = 1; // fixed: runs can be compared only with equal prompts

/// All that depends on files, read in one go on a thread that may block.
struct preparation {
    data_summary data;
    std::string analysis_prompt;
    prompt_template report;
};

const std::filesystem::path& analysis_file(const agent_environment& env) {
    return env.spec.prompt_template.empty() ? env.workload.analysis_template : env.spec.prompt_template;
}

preparation prepare(const agent_spec& spec, const report_corpus& corpus, const std::filesystem::path& analysis,
                    const std::filesystem::path& report) {
    data_summary data = corpus.read();
    std::string prompt = make_analysis_prompt(analysis_template(analysis, spec.id), spec.label, spec.model, data);
    return {std::move(data), std::move(prompt), report_template(report)};
}

call_figures figures_of(const request_record& r) {
    call_figures f;
    f.name = r.call;
    f.tokens = r.tokens();
    if (r.first_token) f.ttft_ms = static_cast<double>(r.first_token - r.dispatched) / 1e6;
    f.tokens_per_second = r.server_rate();
    f.total_ms = static_cast<double>(r.done - r.dispatched) / 1e6;
    return f;
}

} // namespace

report_corpus::report_corpus(const profile& p) : folder_(p.workload.corpus) {
    if (p.workload.kind == workload_kind::report && folder_.empty()) generated_ = generate_corpus(corpus_seed);
}

data_summary report_corpus::read() const {
    if (folder_.empty()) return ingest(generated_);
    data_summary data = ingest(folder_);
    if (data.files() == 0)
        throw std::runtime_error(folder_.string() +
                                 ": no CSV, JSON or Markdown file that could be read (workload.corpus)");
    return data;
}

sdk::task<void> make_report(agent_environment& env, llm_client& client) {
    env.log.stage(agent_stage::ingest);
    blocking_pool::call<preparation> preparing(
        env.blocking, [spec = env.spec, &corpus = *env.corpus, analysis = analysis_file(env),
                       report = env.workload.report_template] { return prepare(spec, corpus, analysis, report); });
    preparation ready = co_await preparing;
    for (const ingest_warning& w : ready.data.warnings) env.log.record().warnings.push_back(to_string(w));

    auto analysing = client.call("analysis", std::move(ready.analysis_prompt), sdk::now_ns());
    const request_record* reply = co_await analysing;
    if (!reply->ok()) co_return;
    agent_report report{
        env.spec.id, env.spec.label, env.spec.model, std::move(ready.data), parse_analysis(reply->response), {}, {}};
    report.calls.push_back(figures_of(*reply));

    auto reporting = client.call(
        "report", make_report_prompt(ready.report, env.spec.label, env.spec.model, report.result), sdk::now_ns());
    reply = co_await reporting;
    if (!reply->ok()) co_return;
    report.text = reply->response;
    report.calls.push_back(figures_of(*reply));
    env.log.record().report = render_agent_report(report);
    if (env.group == nullptr) co_return;
    auto agreeing = env.group->agree(env.place.agent, std::move(report.text), env.log);
    const std::string agreed = co_await agreeing;
    env.log.record().report += "\n" + agreed + "\n";
}

void check_prompts(const profile& p) {
    const workload_spec& w = p.workload;
    if (w.kind != workload_kind::report) return;
    for (const agent_spec& a : w.agents)
        analysis_template(a.prompt_template.empty() ? w.analysis_template : a.prompt_template, a.id);
    report_template(w.report_template);
}

} // namespace chimera::host
