#include "report/run_check.hpp"

#include "report/seal.hpp"
#include "report/whole_file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string_view>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

std::string text_at(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// What the members of a run that has a seal say otherwise than the claims do.
std::string contradiction(const json& metrics, const run_claims& claimed) {
    if (const auto run = metrics.find("run");
        claimed.number > 0 && run != metrics.end() && run->is_number_integer() && *run != claimed.number)
        return fmt::format("is of run {}, but lies in the folder of run {}", run->dump(), claimed.number);
    if (const std::string hash = text_at(metrics, "config_hash");
        !hash.empty() && !claimed.config_hash.empty() && hash != claimed.config_hash)
        return fmt::format("is of configuration {}, but {} was recorded", hash, claimed.config_hash);
    const auto efficiency = efficiency_of(metrics);
    if (claimed.efficiency_pct && efficiency != claimed.efficiency_pct)
        return fmt::format("has {} as its efficiency, but {} % was recorded",
                           efficiency ? fmt::format("{} %", *efficiency) : "nothing", *claimed.efficiency_pct);
    return "";
}

/// The first line that is not as it was written; 0: each is.
std::size_t damaged_line(std::string_view text, std::string& fault) {
    std::size_t number = 1;
    for (std::size_t begin = 0; begin < text.size(); ++number) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        fault = check_seal(text.substr(begin, end - begin), seal_form::line).fault;
        if (!fault.empty()) return number;
        begin = end + 1;
    }
    return 0;
}

std::string fault_of_requests(const fs::path& folder, const json& metrics) {
    const auto recorded = metrics.find("requests_file");
    if (recorded == metrics.end() || !recorded->is_object()) return "";
    const fs::path file = folder / "requests.jsonl";
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored))
        return fmt::format("{}: is missing; metrics.json beside it has its checksum: restore it", file.string());
    const std::string text = read_whole(file, most_lines_bytes), digits = checksum_of(text),
                      said = text_at(*recorded, "crc32");
    if (digits == said) return "";
    std::string fault;
    if (const std::size_t line = damaged_line(text, fault); line > 0)
        return fmt::format("{}:{}: {}", file.string(), line, fault);
    return fmt::format(
        "{}: is not the file that was written: it has {} bytes with the checksum {}, metrics.json beside "
        "it says {} bytes with {}; restore it",
        file.string(), text.size(), digits, recorded->value("bytes", json()).dump(), said);
}

} // namespace

std::optional<double> efficiency_of(const json& metrics) {
    const auto values = metrics.find("values");
    if (values == metrics.end() || !values->is_object()) return std::nullopt;
    for (const char* name : {"efficiency_pct", "estimated_efficiency_pct"})
        if (const auto found = values->find(name); found != values->end() && found->is_number())
            return found->get<double>();
    return std::nullopt;
}

std::string fault_of_run(const fs::path& folder, const json& metrics, const std::string& seal,
                         const run_claims& claimed) {
    const std::string file = (folder / "metrics.json").string();
    if (!claimed.metrics_crc32.empty() && seal != claimed.metrics_crc32)
        return fmt::format("{}: is not the file that was written: {}, {} was recorded; restore it", file,
                           seal.empty() ? "it has no \"crc32\"" : "its \"crc32\" is " + seal, claimed.metrics_crc32);
    if (!seal.empty())
        if (const std::string what = contradiction(metrics, claimed); !what.empty())
            return fmt::format("{}: {}; restore it", file, what);
    return fault_of_requests(folder, metrics);
}

} // namespace chimera::host
