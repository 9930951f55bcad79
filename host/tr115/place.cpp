#include "tr115/place.hpp"

#include "result/json_fields.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view runtime_prefix = "runtime-";

std::string without_prefix(std::string folder) {
    if (folder.starts_with(runtime_prefix)) folder.erase(0, runtime_prefix.size());
    return folder;
}

std::vector<std::string> parts_of(const std::string& folder) {
    std::vector<std::string> out;
    for (const fs::path& part : fs::path(folder))
        if (!part.empty() && part != ".") out.push_back(part.string());
    return out;
}

/// Which folders of a path name its runtime.
struct runtime_folders {
    std::size_t first = 0, count = 1;
    std::string name;
};

std::optional<runtime_folders> named_in(const std::vector<std::string>& above,
                                        const std::vector<named_runtime>& names) {
    std::optional<runtime_folders> out;
    const named_runtime* by = nullptr;
    for (const named_runtime& n : names) {
        const std::size_t at = position_of(n.folder, above);
        if (at == above.size()) continue;
        if (by != nullptr)
            throw results_error(fmt::format("--runtime {}={} and --runtime {}={}: both name a folder of {}", by->folder,
                                            by->name, n.folder, n.name, fmt::join(above, "/")));
        by = &n;
        out = runtime_folders{at, parts_of(n.folder).size(), n.name};
    }
    return out;
}

std::optional<runtime_folders> runtime_in(const std::vector<std::string>& above,
                                          const std::vector<named_runtime>& names) {
    if (auto named = named_in(above, names)) return named;
    for (std::size_t i = above.size(); i-- > 0;)
        if (above[i].starts_with(runtime_prefix)) return runtime_folders{i, 1, without_prefix(above[i])};
    if (above.size() == 1) return runtime_folders{0, 1, above[0]};
    return std::nullopt;
}

} // namespace

int run_number(const std::string& folder) {
    constexpr std::string_view prefix = "run_";
    int n = 0;
    if (!folder.starts_with(prefix)) return -1;
    const auto [end, error] = std::from_chars(folder.data() + prefix.size(), folder.data() + folder.size(), n);
    return error == std::errc() && end == folder.data() + folder.size() && n >= 0 ? n : -1;
}

std::vector<std::string> folders_between(const fs::path& tree, const fs::path& file) {
    std::vector<std::string> out;
    for (const fs::path& part : file.parent_path().lexically_relative(tree))
        if (part != ".") out.push_back(part);
    return out;
}

std::string name_of_tree(const fs::path& tree) {
    fs::path whole = fs::canonical(tree);
    if (whole.filename() == "results") whole = whole.parent_path();
    return whole.filename().string();
}

std::size_t position_of(const std::string& folder, const std::vector<std::string>& among) {
    const std::vector<std::string> parts = parts_of(folder);
    const auto same = [](const std::string& have, const std::string& wanted) {
        return have == wanted || without_prefix(have) == wanted;
    };
    const auto found = std::ranges::search(among, parts, same);
    return parts.empty() || found.empty() ? among.size() : static_cast<std::size_t>(found.begin() - among.begin());
}

std::variant<run_place, std::string> place_of(std::vector<std::string> folders, const std::string& tree_name,
                                              const std::vector<named_runtime>& names) {
    const std::string nowhere = "left out, it is not where a run of the reports would be";
    std::erase(folders, "results");
    std::vector<int> numbers;
    while (!folders.empty() && numbers.size() < 2) {
        const int n = run_number(folders.back());
        if (n < 0) break;
        numbers.insert(numbers.begin(), n);
        folders.pop_back();
    }
    if (numbers.empty() || folders.empty() || run_number(folders.back()) >= 0) return nowhere;
    run_place out;
    out.outer = numbers[0];
    out.inner = numbers.size() == 2 ? numbers[1] : 0;
    out.config = std::move(folders.back());
    folders.pop_back();
    if (folders.empty()) folders.push_back(tree_name);
    const auto runtime = runtime_in(folders, names);
    if (!runtime)
        return fmt::format("{}, unless one of its folders is the runtime's: name it, as in --runtime {}=NAME", nowhere,
                           folders.back());
    out.runtime = runtime->name;
    out.phase = fmt::format("{}", fmt::join(std::span(folders).first(runtime->first), "_"));
    if (runtime->first + runtime->count < folders.size()) out.model = folders.back();
    return out;
}

} // namespace chimera::host
