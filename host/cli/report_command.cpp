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

} // namespace

std::vector<std::string> report_formats() {
    std::vector<std::string> out;
    for (const renderer& r : renderers) out.emplace_back(r.format);
    return out;
}

exit_status report_command(const report_arguments& arguments) {
    study s = load_study(arguments.results);
    if (!arguments.only.empty()) s = part_of(std::move(s), arguments.only);
    read_requests(s);
    const renderer* chosen = std::ranges::find(renderers, arguments.format, &renderer::format);
    const std::string text = chosen->render(report_document(s, "chimera-host " CHIMERA_VERSION));
    if (arguments.output.empty())
        print_result(text);
    else
        write_whole(arguments.output, text);
    const std::vector<std::string> damage = damage_of(s);
    for (const std::string& d : damage) spdlog::error("{}", d);
    return damage.empty() ? exit_status::success : exit_status::bad_input;
}

} // namespace chimera::host
