#include "report/result_files.hpp"

#include "measure/run_results.hpp"
#include "result/run_folder.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include <malloc.h>
#include <sys/stat.h>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* profile_name = "profile.toml";

constexpr std::string_view first_words = "# configuration ";

std::string first_line_of(const profile& p) { return fmt::format("{}{}\n", first_words, config_hash(p)); }

[[noreturn]] void fail_to_make(const fs::path& folder) {
    fail_to_write(folder,
                  errno == ENOENT ? "cannot make the folder, the one above it is gone" : "cannot make the folder");
}

/// Makes <folder>/<prefix>N with the lowest N that nobody has: making it is what claims it, also against another
/// process.
fs::path claim(const fs::path& folder, const char* prefix, int& n) {
    for (n = 1;; ++n) {
        fs::path path = folder / fmt::format("{}{}", prefix, n);
        if (mkdir(path.c_str(), 0777) == 0) return path;
        if (errno != EEXIST) fail_to_make(path);
    }
}

fs::path make_cell_folder(const fs::path& folder, int n) {
    fs::path path = folder / fmt::format("run_{}", n);
    if (mkdir(path.c_str(), 0777) != 0) fail_to_make(path);
    return path;
}

/// Whether a run was finished here before, which has synced the way to the folder.
bool has_another_run(const fs::path& folder, const fs::path& than) {
    std::error_code ignored;
    for (fs::directory_iterator it(folder, ignored), end; it != end; it.increment(ignored))
        if (it->path() != than && fs::exists(it->path() / "metrics.json", ignored)) return true;
    return false;
}

void forget(std::string& text) { std::string().swap(text); }

/// Texts are only needed in the files: their memory is free for the figures, and for the runs to come.
void add_execution(run_folder_writer& files, const char* execution, execution_record& x) {
    for (agent_record& a : x.agents) {
        for (request_record& r : a.requests) {
            files.add(result_of(execution, x, a, r));
            files.add(text_result{execution, a.id, r.call, r.prompt, r.response, r.reasoning});
            for (std::string* written : {&r.prompt, &r.response, &r.reasoning}) forget(*written);
        }
        if (!a.report.empty()) files.add_report(fmt::format("{}_{}.md", execution, a.id), a.report);
        forget(a.report);
    }
}

} // namespace

void write_profile(const fs::path& folder, const profile& p) {
    const fs::path path = folder / profile_name;
    const std::string text = sealed_comment(first_line_of(p) + to_toml(p)), there = read_whole(path);
    if (there == text) return;
    whole_file file(path);
    file.append(text);
    there.empty() ? file.commit_unsynced() : file.commit();
}

std::string fault_of_profile(const fs::path& folder, const std::string& config_hash) {
    const fs::path file = folder / profile_name;
    const std::string text = read_whole(file);
    if (text.empty()) return "";
    if (const std::string fault = check_seal(text, seal_form::comment).fault; !fault.empty())
        return fmt::format("{}: {}", file.string(), fault);
    if (!text.starts_with(first_words) || config_hash.empty()) return "";
    const std::string named = text.substr(first_words.size(), text.find('\n') - first_words.size());
    if (named == config_hash) return "";
    return fmt::format("{}: is of configuration {}, the runs beside it are of {}; restore it", file.string(), named,
                       config_hash);
}

result_files::result_files(const profile& p, const fs::path& output) : profile_(p) {
    folder_ = output / p.name / config_name(p);
    if (const std::string there = read_whole(folder_ / profile_name);
        !there.empty() && !there.starts_with(first_line_of(p)))
        folder_ += "-" + config_hash(p).substr(0, 8);
    make_folders(folder_);
    remove_leftovers(folder_);
    write_profile(folder_, p);
}

result_files result_files::of_cell(const profile& p, fs::path folder, int run) { return {p, std::move(folder), run}; }

campaign_metrics result_files::add(run_record& run) {
    // A failed warm-up is kept beside the runs.
    const bool warmup = run.number == 0;
    int n = cell_;
    const fs::path folder =
        cell_ != 0 && !warmup ? make_cell_folder(folder_, n) : claim(folder_, warmup ? "warmup_" : "run_", n);
    if (!warmup) run.number = n;
    run_folder_writer files(folder);
    for (execution_record& x : run.baseline) add_execution(files, "alone", x);
    add_execution(files, "together", run.concurrent);
    malloc_trim(0); // what the agents' tasks and texts took: the figures of a million pieces need some at once
    if (!fs::exists(folder_ / profile_name)) { // somebody has taken it away
        write_profile(folder_, profile_);
        sync_path(folder_ / profile_name);
    }
    const campaign_metrics metrics({&run, 1});
    run_result result = result_of(profile_, run, metrics);
    const std::string seal = files.finish(result);
    if (!warmup) seals_[folder.filename().string()] = seal;
    sync_folder(folder);
    return metrics;
}

/// What the folder lists. With its first run also profile.toml and the folders above, which may be as new as it is:
/// each sync is a wait for the disk, and a sweep adds its runs one process at a time.
void result_files::sync_folder(const fs::path& added) {
    sync_path(folder_);
    if (std::exchange(way_is_synced_, true) || has_another_run(folder_, added)) return;
    sync_path(folder_ / profile_name);
    constexpr int most_made = 3; // <output>/<profile>/<config>, runtime and configuration of a sweep
    fs::path above = fs::absolute(folder_).parent_path();
    for (int i = 0; i < most_made; ++i, above = above.parent_path()) try_to_sync(above);
}

void result_files::summarize(const campaign_summary& s) {
    if (cell_ != 0) return;
    campaign_result summary = s.result;
    summary.run_crc32 = seals_;
    write_whole(folder_ / "summary.json", sealed_document(summary));
}

} // namespace chimera::host
