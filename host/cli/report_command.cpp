#include "cli/report_command.hpp"

#include "cli/standard_output.hpp"
#include "publish/csv.hpp"
#include "publish/html.hpp"
#include "publish/json_text.hpp"
#include "publish/markdown.hpp"
#include "publish/vllm.hpp"
#include "report/whole_file.hpp"
#include "study/load.hpp"
#include "study/part.hpp"
#include "study/report_document.hpp"
#include "study/run_file.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

struct renderer {
    const char* format;
    std::string (*render)(const json& report);
};

constexpr renderer renderers[] = {
    {"md", to_markdown},
    {"html", [](const json& report) { return to_html(report); }},
    {"csv", to_csv},
    {"json", json_text},
    {"vllm", [](const json& report) { return json_text(to_vllm(report)); }},
};

bool is_results_file(const std::filesystem::path& name) {
    for (const char* known :
         {"cells.jsonl", "metrics.json", "profile.toml", "requests.jsonl", "summary.json", "sweep.json"})
        if (name == known) return true;
    return false;
}

} // namespace

std::vector<std::string> report_formats() {
    std::vector<std::string> out;
    for (const renderer& r : renderers) out.emplace_back(r.format);
    return out;
}

exit_status report_command(const report_arguments& arguments) {
    std::error_code ignored;
    if (is_results_file(arguments.output.filename()) && std::filesystem::exists(arguments.output, ignored))
        throw study_error(fmt::format("--output {}: is a file of results, as its name says; give another one",
                                      arguments.output.string()));
    study s = load_study(arguments.results);
    if (!arguments.only.empty()) s = part_of(std::move(s), arguments.only);
    read_requests(s);
    const renderer* chosen = std::ranges::find(renderers, arguments.format, &renderer::format);
    const std::string text = chosen->render(report_document(s, "chimera-host " CHIMERA_VERSION));
    if (arguments.output.empty())
        print_result(text);
    else
        write_to(arguments.output, text);
    const std::vector<std::string> damage = damage_of(s);
    for (const std::string& d : damage) spdlog::error("{}", d);
    return damage.empty() ? exit_status::success : exit_status::bad_input;
}

} // namespace chimera::host
