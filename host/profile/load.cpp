#include "profile/load.hpp"
#include "process/regular_file.hpp"
#include "profile/nearest.hpp"
#include "profile/overrides.hpp"
#include "profile/profile_reader.hpp"
#include "profile/profile_rules.hpp"
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <system_error>

namespace chimera::host {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void cannot_read(const fs::path& file, const std::string& why) {
    std::vector<std::string> there;
    std::error_code ignored;
    if (fs::exists(file, ignored)) throw profile_error({fmt::format("{}: {}", file.string(), why)});
    const auto folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
    for (const auto& entry : fs::directory_iterator(folder, ignored))
        if (entry.path().extension() == ".toml") there.push_back(entry.path().filename().string());
    const auto hint = suggest(file.filename().string(), there);
    throw profile_error(
        {fmt::format("{}: {}{}", file.string(), why, hint.empty() ? "; give the path of a profile" : "; " + hint)});
}

} // namespace

profile_error::profile_error(std::vector<std::string> faults)
    : std::runtime_error(fmt::format("{}", fmt::join(faults, "\n"))), faults_(std::move(faults)) {}

std::string read_profile_text(const fs::path& file) {
    constexpr std::size_t most_bytes = 1U << 20U; // parsed, it takes a hundred times as much
    try {
        return read_regular_file(file, most_bytes);
    } catch (const std::runtime_error& e) {
        cannot_read(file, e.what());
    }
}

profile parse_profile(std::string_view toml, const fs::path& source, const schema_lookup& lookup,
                      const profile_overrides& overrides) {
    const auto file = source.string();
    std::vector<std::string> faults;
    std::string syntax;
    auto root = parse_document(toml, file, &syntax);
    if (!syntax.empty()) throw profile_error({syntax});
    if (const auto* sweep = root.find("sweep"))
        throw profile_error(
            {fmt::format("{}: this is a sweep; run it with: chimera-host sweep --profile {}", sweep->at.where, file)});
    apply_overrides(root, overrides, &faults);
    return resolve_profile(std::move(root), source, lookup, std::move(faults));
}

profile resolve_profile(node root, const fs::path& source, const schema_lookup& lookup,
                        std::vector<std::string> faults) {
    const auto file = source.string();
    const auto path = fs::absolute(source).lexically_normal();
    auto p = read_profile(root, file, path.parent_path(), lookup, &faults);
    p.source = path;
    check_profile(p, root, file, &faults);
    if (!faults.empty()) throw profile_error(std::move(faults));
    return p;
}

profile load_profile(const fs::path& file, const schema_lookup& lookup, const profile_overrides& overrides) {
    return parse_profile(read_profile_text(file), file, lookup, overrides);
}

} // namespace chimera::host
