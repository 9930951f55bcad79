#include "profile/load.hpp"

#include "process/files.hpp"
#include "process/messages.hpp"
#include "process/secrets.hpp"
#include "profile/reading.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <system_error>

namespace chimera::host {

namespace {

namespace fs = std::filesystem;

/// True for "smol1kb": the name of an installed profile, as a plugin has an id.
bool is_name(const fs::path& given) { return !given.has_parent_path() && !given.has_extension(); }

[[noreturn]] void cannot_read(const fs::path& file, const std::string& why) {
    std::vector<std::string> there;
    std::error_code ignored;
    if (fs::exists(file, ignored)) throw profile_error({fmt::format("{}: {}", file.string(), why)});
    const auto add_profiles = [&](const fs::path& folder, const auto& words_of) {
        for (const auto& entry : fs::directory_iterator(folder, ignored))
            if (entry.path().extension() == ".toml") there.push_back(words_of(entry.path()).string());
    };
    add_profiles(file.has_parent_path() ? file.parent_path() : fs::path("."),
                 [](const fs::path& p) { return p.filename(); });
    if (is_name(file)) add_profiles(installed_data() / "profiles", [](const fs::path& p) { return p.stem(); });
    const auto hint = suggest(file.filename().string(), there);
    throw profile_error(
        {fmt::format("{}: {}{}", file.string(), why, hint.empty() ? "; give the path of a profile" : "; " + hint)});
}

} // namespace

profile_error::profile_error(std::vector<std::string> faults)
    : std::runtime_error(fmt::format("{}", fmt::join(faults, "\n"))), faults_(std::move(faults)) {}

fs::path find_profile(const fs::path& given) {
    std::error_code error;
    if (given.empty() || !is_name(given) || fs::exists(given, error)) return given;
    const fs::path installed = installed_data() / "profiles" / (given.string() + ".toml");
    return fs::exists(installed, error) ? installed : given;
}

std::string read_profile_text(const fs::path& file) {
    constexpr std::size_t most_bytes = 1U << 20U; // a parsed profile takes a hundred times as much
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
    drop_questions(root);
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

void drop_questions(node& root) {
    std::erase_if(std::get<node::table>(root.value),
                  [](const member& m) { return std::ranges::find(question_tables, m.key) != question_tables.end(); });
}

// ---- overrides

namespace {

constexpr std::string_view reports_agents = R"(
[[agents]]
id = "collector"
label = "DataCollector"
model = "gemma3:latest"
options = { num_gpu = 80, num_ctx = 512, temperature = 1.0 }
[[agents]]
id = "insight"
label = "InsightAgent"
model = "gemma3:latest"
options = { num_gpu = 80, num_ctx = 512, temperature = 1.0 }
)";

/// The table root.name, created if missing; null if root.name is not a table.
node* table_in(node& root, const char* name, const origin& from) {
    auto* table = root.find(name);
    if (table == nullptr) table = &root.assign(name, {node::table{}, from, std::nullopt});
    return table->is_table() ? table : nullptr;
}

/// Assigns value, unless a --set has assigned one.
void put(node* table, const char* key, node value) {
    if (table == nullptr) return;
    const auto* present = table->find(key);
    if (present == nullptr || present->at.from_file) table->assign(key, std::move(value));
}

/// The tables that describe agents.
std::vector<node*> agents_in(node& root) {
    std::vector<node*> tables;
    for (const auto& path : agent_paths(root))
        if (auto* agent = const_cast<node*>(node_at(root, path)); agent != nullptr && agent->is_table())
            tables.push_back(agent);
    return tables;
}

constexpr std::string_view four_members = R"(
[agents]
count = 4
template = { id = "member" }
)";

/// The agents of a profile that names none: the two of the reports, or four members of a group.
void add_usual_agents(node& root) {
    auto* workload = table_in(root, "workload", root.at);
    if (workload == nullptr || workload->find("agents") != nullptr) return;
    const auto* kind = workload->find("kind");
    const auto* word = kind == nullptr ? nullptr : std::get_if<std::string>(&kind->value);
    const bool members = word != nullptr && *word == "coordination";
    std::string fault;
    auto document = parse_document(members ? four_members : reports_agents, "built-in agents", &fault);
    workload->assign("agents", std::move(*document.find("agents")));
}

std::string plugin_of(const node& root, const char* table) {
    const auto* choice = root.find(table);
    const auto* plugin = choice == nullptr ? nullptr : choice->find("plugin");
    const auto* name = plugin == nullptr ? nullptr : std::get_if<std::string>(&plugin->value);
    return name == nullptr ? std::string{} : *name;
}

void drop_written_in_file(node& table) {
    auto& members = std::get<node::table>(table.value);
    for (auto& m : members)
        if (m.value.is_table()) drop_written_in_file(m.value);
    std::erase_if(members, [](const member& m) {
        const auto* nested = std::get_if<node::table>(&m.value.value);
        return m.value.at.from_file && (nested == nullptr || nested->empty());
    });
}

} // namespace

void apply_overrides(node& root, const profile_overrides& overrides, std::vector<std::string>* faults) {
    add_usual_agents(root);

    static constexpr std::array tables = {"executor", "foreign", "transport", "coordinator"};
    std::array<std::string, tables.size()> before;
    for (std::size_t i = 0; i < tables.size(); ++i) before[i] = plugin_of(root, tables[i]);
    for (const auto& assignment : overrides.sets) {
        const auto key = assignment.substr(0, assignment.find('='));
        if (names_a_secret(key.substr(key.rfind('.') + 1))) {
            faults->push_back(fmt::format("--set {}=...: {}", key, no_secret));
        } else if (auto fault = apply_set(root, assignment, "--set " + without_url_secrets(assignment));
                   !fault.empty()) {
            faults->push_back(std::move(fault));
        }
    }
    for (std::size_t i = 0; i < tables.size(); ++i) {
        auto* options = root.find(tables[i]) == nullptr ? nullptr : root.find(tables[i])->find("options");
        if (options != nullptr && options->is_table() && plugin_of(root, tables[i]) != before[i])
            drop_written_in_file(*options);
    }

    const auto number = [](const char* option, std::int64_t value) {
        return node{value, {fmt::format("{} {}", option, value), false}, std::nullopt};
    };
    const origin command_line{"command line", false};
    if (overrides.runs) put(table_in(root, "measure", command_line), "runs", number("--runs", *overrides.runs));
    if (overrides.warmup) put(table_in(root, "measure", command_line), "warmup", number("--warmup", *overrides.warmup));
    if (overrides.seed) put(table_in(root, "measure", command_line), "seed", number("--seed", *overrides.seed));
    const auto agents = agents_in(root);
    if (overrides.model)
        for (auto* agent : agents) put(agent, "model", {*overrides.model, {"--model " + *overrides.model, false}, {}});
    if (!overrides.urls.empty()) {
        node::list urls;
        for (const auto& url : overrides.urls) urls.push_back({url, {"--url " + without_url_secrets(url), false}, {}});
        put(table_in(root, "backend", command_line), "urls", {std::move(urls), {"--url", false}, {}});
        for (auto* agent : agents) {
            const auto* url = agent->find("url");
            if (url != nullptr && url->at.from_file)
                std::erase_if(std::get<node::table>(agent->value), [](const member& m) { return m.key == "url"; });
        }
    }
}

} // namespace chimera::host
