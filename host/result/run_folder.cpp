#include "result/run_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t few_reports = 8;

/// Waits until everything that was written to the folder's file system is on the disk.
void sync_file_system(const fs::path& folder) {
    const sdk::owned_fd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || syncfs(fd.get()) != 0) fail_to_write(folder, "cannot be synced");
}

/// Writes a sealed document as it is made: that of a run with thousands of agents has megabytes. Returns the digits of
/// its seal.
std::string write_document(const fs::path& path, const run_result& run) {
    whole_file file(path);
    checksum written;
    const text_sink sink = [&](std::string& text) {
        written.add(text);
        file.append(text);
        text.clear();
    };
    std::string rest;
    append_json(rest, run, 0, &sink);
    std::string seal = seals::close_document(rest, written);
    file.append(rest);
    file.commit();
    return seal;
}

/// What a run says of itself that the claims contradict.
std::string contradiction(const run_result& run, const run_claims& claimed) {
    if (claimed.number > 0 && run.run > 0 && run.run != claimed.number)
        return fmt::format("is of run {}, but lies in the folder of run {}", run.run, claimed.number);
    if (run.config_hash && !claimed.config_hash.empty() && *run.config_hash != claimed.config_hash)
        return fmt::format("is of configuration {}, but {} was recorded", *run.config_hash, claimed.config_hash);
    const auto efficiency = efficiency_of(run);
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

void check_file(const fs::path& folder, const file_record& recorded) {
    const fs::path file = folder / recorded.name;
    std::error_code ignored;
    if (recorded.name.find('/') != std::string::npos || !fs::is_regular_file(file, ignored))
        throw results_error(
            fmt::format("{}: is missing; metrics.json beside it has its checksum: restore it", file.string()));
    const std::string text = read_whole(file, most_lines_bytes), digits = checksum_of(text);
    if (digits == recorded.crc32) return;
    std::string fault;
    if (const std::size_t line = damaged_line(text, fault); line > 0)
        throw results_error(fmt::format("{}:{}: {}", file.string(), line, fault));
    throw results_error(fmt::format(
        "{}: is not the file that was written: it has {} bytes with the checksum {}, metrics.json beside it says {} "
        "bytes with {}; restore it",
        file.string(), text.size(), digits, recorded.bytes, recorded.crc32));
}

} // namespace

run_folder_writer::run_folder_writer(fs::path folder)
    : folder_(std::move(folder)), requests_(folder_, "requests.jsonl") {}

void run_folder_writer::add(const request_result& request) { requests_.add(request); }

void run_folder_writer::add(const text_result& text) {
    if (!texts_) texts_.emplace(folder_, "texts.jsonl");
    texts_->add(text);
}

void run_folder_writer::add_report(const std::string& name, std::string_view text) {
    if (reports_ == 0) make_folders(folder_ / "reports");
    fs::path path = folder_ / "reports" / name;
    whole_file file(path);
    file.append(text);
    file.commit_unsynced();
    if (reports_++ < few_reports) first_reports_.push_back(std::move(path));
}

/// A sync waits for the disk once, whatever it syncs, and syncfs() also waits for what other programs have written.
void run_folder_writer::sync_reports() const {
    if (reports_ > few_reports) return sync_file_system(folder_);
    for (const fs::path& report : first_reports_) sync_path(report);
    if (reports_ > 0) sync_path(folder_ / "reports");
}

std::string run_folder_writer::finish(run_result& run) {
    run.requests_file = requests_.finish();
    if (texts_) run.texts_file = texts_->finish();
    sync_reports(); // all of it before metrics.json says that it is whole
    std::string seal = write_document(folder_ / "metrics.json", run);
    sync_path(folder_);
    return seal;
}

std::optional<double> efficiency_of(const run_result& run) {
    const auto efficiency = run.value(metric::efficiency);
    return efficiency ? efficiency : run.value(metric::estimated_efficiency);
}

run_on_disk read_run(const fs::path& folder, const run_claims& claimed) {
    const fs::path path = folder / "metrics.json";
    const std::string file = path.string();
    if (std::error_code ignored; !fs::exists(path, ignored))
        throw results_error(file + ": is missing; restore it, or have the run repeated");
    const results_document read = read_results_document(path);
    if (!claimed.metrics_crc32.empty() && read.seal != claimed.metrics_crc32)
        throw results_error(fmt::format("{}: is not the file that was written: {}, {} was recorded; restore it", file,
                                        read.seal.empty() ? "it has no \"crc32\"" : "its \"crc32\" is " + read.seal,
                                        claimed.metrics_crc32));
    check_version(read.content, file, oldest_run_schema_version, run_schema_version);
    run_on_disk out{from_json<run_result>(read.content, file), read.seal};
    if (!read.seal.empty())
        if (const std::string what = contradiction(out.result, claimed); !what.empty())
            throw results_error(fmt::format("{}: {}; restore it", file, what));
    for (const auto& recorded : {out.result.requests_file, out.result.texts_file})
        if (recorded) check_file(folder, *recorded);
    return out;
}

std::vector<request_result> read_requests(const fs::path& folder, const run_result& run) {
    const fs::path file = folder / "requests.jsonl";
    std::vector<request_result> out;
    for (const auto& [line, place] : read_results_lines(file)) {
        auto request = from_json<request_result>(line, place);
        if (request.execution != "together") continue;
        if (std::ranges::find(run.concurrent.agents, request.agent, &agent_result::id) == run.concurrent.agents.end())
            throw results_error(fmt::format("{}: agent \"{}\" is not in metrics.json beside it", place, request.agent));
        out.push_back(std::move(request));
    }
    for (const agent_result& a : run.concurrent.agents)
        if (const auto found = std::ranges::count(out, a.id, &request_result::agent);
            a.requests && std::cmp_not_equal(*a.requests, found))
            throw results_error(fmt::format("{}: has {} requests of agent \"{}\", but metrics.json beside it {}",
                                            file.string(), found, a.id, *a.requests));
    return out;
}

void check_version(const json& document, const std::string& place, int oldest, int newest) {
    if (!document.is_object()) json_fields::refuse_type(place, "an object", document);
    const auto found = document.find("schema_version");
    if (found == document.end()) json_fields::refuse_missing(place, "schema_version");
    const std::int64_t version = json_fields::read_integer(*found, place + ": schema_version");
    if (version >= oldest && version <= newest) return;
    throw results_error(fmt::format(
        "{}: schema_version {}, expected {}: written by {} chimera-host; repeat it with this one, or read it with that "
        "one",
        place, version, oldest == newest ? fmt::format("{}", newest) : fmt::format("{} to {}", oldest, newest),
        version < oldest ? "an older" : "a newer"));
}

} // namespace chimera::host
