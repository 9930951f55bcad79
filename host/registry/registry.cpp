#include "registry/registry.hpp"

#include "process/messages.hpp"
#include "registry/checked_file.hpp"
#include "registry/open_plugin.hpp"
#include "registry/trial.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <string_view>
#include <variant>

namespace chimera::host {

namespace fs = std::filesystem;

namespace {

bool is_path(std::string_view name) { return name.find('/') != std::string_view::npos || name.ends_with(".so"); }

/// True also for a broken link, which gets its own message.
bool is_there(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(fs::symlink_status(path, ignored));
}

std::vector<fs::path> libraries_in(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored))
        if (entry.path().extension() == ".so") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

} // namespace

struct registry::state {
    using loaded = std::variant<std::shared_ptr<const plugin>, plugin_error>;

    registry_settings settings;
    /// By file, not by path, because another file may lie at the path by now. An open file keeps its identity.
    struct tried_file {
        checked_file_ptr file;
        trial outcome;
    };
    std::map<checked_file::identity, loaded> by_file;    // a plugin that failed is not initialized a second time
    std::map<checked_file::identity, tried_file> trials; // and not tried a second time

    std::vector<fs::path> folders(const fs::path& first) const {
        std::vector<fs::path> all;
        if (!first.empty()) all.push_back(first);
        all.insert(all.end(), settings.search.begin(), settings.search.end());
        all.insert(all.end(), settings.own.begin(), settings.own.end());
        return all;
    }

    fs::path find_file(const std::string& name, const fs::path& folder) const {
        const std::array tried = {folder / name, fs::absolute(name)}; // an absolute name replaces the folder
        for (const auto& path : tried)
            if (is_there(path)) return path;
        std::vector<std::string> neighbours;
        for (const auto& file : libraries_in(tried.front().parent_path())) neighbours.push_back(file.filename());
        const auto hint = suggest(tried.front().filename().string(), neighbours);
        throw plugin_error(fmt::format("{}: no such file{}{}{}", name,
                                       fs::absolute(tried[0]) == tried[1]
                                           ? ""
                                           : " in " + folder.string() + " nor in the working directory",
                                       hint.empty() ? "" : "; ", hint),
                           CHM_E_FAIL);
    }

    fs::path find_id(const std::string& id, const fs::path& folder) const {
        const auto file = [&id](const fs::path& where) { return fs::absolute(where / (id + ".so")); };
        if (!folder.empty() && is_there(file(folder))) return file(folder);
        if (const auto both = clash(id); !both.empty()) throw plugin_error(both, CHM_E_FAIL);
        std::vector<std::string> known;
        std::string looked;
        for (const auto& where : folders(folder)) {
            if (is_there(file(where))) return file(where);
            for (const auto& other : libraries_in(where)) known.push_back(other.stem());
            looked += (looked.empty() ? "" : ", ") + where.string();
        }
        const auto hint = suggest(id, known);
        throw plugin_error(
            fmt::format("no plugin \"{}\"{}{}; looked in {}", id, hint.empty() ? "" : "; ", hint, looked), CHM_E_FAIL);
    }

    /// The fault if two files on the user's own search path have the same name; empty: no fault.
    std::string clash(const std::string& id) const {
        fs::path first;
        for (const auto& where : settings.search) {
            const auto file = where / (id + ".so");
            std::error_code error;
            if (!is_there(file) || (!first.empty() && fs::equivalent(first, file, error))) continue;
            if (!first.empty())
                return fmt::format("two plugins are called \"{}\": {} and {}; name one of them by its path, or remove "
                                   "its folder from CHIMERA_PLUGIN_PATH",
                                   id, first.string(), file.string());
            first = file;
        }
        return {};
    }

    /// Tries the files that have not been tried yet.
    void try_all(std::vector<checked_file_ptr> files) {
        std::ranges::sort(files, {}, [](const auto& file) { return file->id(); });
        const auto alike = [](const auto& a, const auto& b) { return a->id() == b->id(); };
        files.erase(std::unique(files.begin(), files.end(), alike), files.end());
        std::erase_if(files, [this](const auto& file) { return trials.contains(file->id()); });
        auto answers = try_plugins(files, trial_depth::load, settings.trial_limit);
        for (std::size_t i = 0; i < files.size(); ++i)
            trials.emplace(files[i]->id(), tried_file{files[i], std::move(answers[i])});
    }

    fs::path locate(const std::string& name, const fs::path& folder) const {
        return is_path(name) ? find_file(name, folder) : find_id(name, folder);
    }
};

registry::registry(registry_settings settings) : state_(std::make_unique<state>()) {
    state_->settings = std::move(settings);
}

registry::~registry() = default;

std::shared_ptr<const plugin> registry::open(const fs::path& path) {
    const auto file = checked(path);
    auto found = state_->by_file.find(file->id());
    if (found == state_->by_file.end()) {
        state::loaded result;
        try {
            // A crash or a hang happens in a child, and becomes an ordinary error here.
            state_->try_all({file});
            if (const auto& tried = state_->trials.at(file->id()).outcome; !tried.fault.empty())
                throw plugin_error(tried.fault, tried.rc);
            const plugin_steps in_silence = [](const char*) {};
            result = initialize_plugin(file, open_entry(file, in_silence), in_silence);
        } catch (const plugin_error& error) {
            result = error;
        }
        found = state_->by_file.emplace(file->id(), std::move(result)).first;
    }
    if (const auto* error = std::get_if<plugin_error>(&found->second)) throw *error;
    return std::get<std::shared_ptr<const plugin>>(found->second);
}

void registry::try_ahead(std::span<const std::string> names, const fs::path& directory) {
    std::vector<checked_file_ptr> files;
    try {
        for (const auto& name : names) try {
                files.push_back(find(name, directory));
            } catch (const plugin_error&) { // load() reports it
            }
        state_->try_all(std::move(files));
    } catch (const std::system_error&) { // load() meets it again, and names the plugin
    }
}

checked_file_ptr registry::checked(const fs::path& path) const {
    auto file = std::make_shared<const checked_file>(path);
    if (const auto fault = file->fault(state_->settings.allow_untrusted); !fault.empty())
        throw plugin_error(path.string() + ": " + fault, CHM_E_FAIL);
    return file;
}

fs::path registry::locate(const std::string& name, const fs::path& directory) const {
    return state_->locate(name, directory);
}

checked_file_ptr registry::find(const std::string& name, const fs::path& directory) const {
    return checked(locate(name, directory));
}

std::shared_ptr<const plugin> registry::load(plugin_kind kind, const std::string& name, const fs::path& directory) {
    const bool by_path = is_path(name);
    const auto file = locate(name, directory);
    auto found = open(file);
    if (!by_path && found->entry().id != name)
        throw plugin_error(fmt::format("{}: its id is \"{}\", expected \"{}\" like the file's name; rename the file",
                                       file.string(), found->entry().id, name),
                           CHM_E_FAIL);
    if (!found->offers(kind)) {
        std::string offered;
        for (const plugin_kind other : plugin_kinds)
            if (found->offers(other))
                offered += fmt::format("{}{} {}", offered.empty() ? "" : " and ",
                                       other == plugin_kind::executor ? "an" : "a", to_string(other));
        throw plugin_error(fmt::format("\"{}\" offers no {}, only {} ({})", found->entry().id, to_string(kind), offered,
                                       found->path().string()),
                           CHM_E_NOSYS);
    }
    return found;
}

std::vector<plugin_listing> registry::list(const fs::path& directory) const {
    std::vector<plugin_listing> lines;
    std::map<std::string, fs::path> first; // by stem, like the search for ids
    std::vector<fs::path> seen;
    for (const auto& folder : state_->folders(directory)) {
        std::error_code error;
        const auto real = fs::canonical(folder, error);
        if (error || std::find(seen.begin(), seen.end(), real) != seen.end()) continue;
        seen.push_back(real);
        for (const auto& file : libraries_in(folder)) {
            plugin_listing line;
            line.id = file.stem();
            line.path = fs::absolute(file);
            if (const auto [owner, is_first] = first.emplace(line.id, line.path); !is_first)
                line.shadowed_by = owner->second;
            try {
                const auto tried = try_plugin(checked(file), trial_depth::load, state_->settings.trial_limit);
                line.said = tried.said;
                line.error = tried.fault;
            } catch (const plugin_error& refused) {
                line.error = refused.what();
            }
            const auto id = line.said.value("id", line.id);
            if (line.error.empty()) line.error = state_->clash(line.id);
            if (line.error.empty() && id != line.id)
                line.error = fmt::format("{}: its id is \"{}\"; rename the file to {}.so", file.string(), id, id);
            line.id = id;
            lines.push_back(std::move(line));
        }
    }
    return lines;
}

// ---- instances

namespace {

/// The first function that is missing in an instance's table, or null.
const char* missing_function(const chm_executor_vt& vt) {
    if (vt.spawn == nullptr) return "spawn";
    if (vt.run == nullptr) return "run";
    if (vt.stop == nullptr) return "stop";
    if (vt.destroy == nullptr) return "destroy";
    return vt.get_extension == nullptr ? "get_extension" : nullptr;
}
const char* missing_function(const chm_transport_vt& vt) {
    if (vt.open == nullptr) return "open";
    if (vt.destroy == nullptr) return "destroy";
    return vt.get_extension == nullptr ? "get_extension" : nullptr;
}

const char* missing_function(const chm_coordinator_vt& vt) {
    if (vt.join == nullptr) return "join";
    if (vt.destroy == nullptr) return "destroy";
    return vt.get_extension == nullptr ? "get_extension" : nullptr;
}

/// Calls a factory and checks the instance. An instance without a usable table cannot even be destroyed.
template <class Instance, class Factory>
Instance* create(const Factory& factory, const chm_host& host, std::span<const option_value> options,
                 const std::string& what) {
    std::vector<chm_kv> pairs;
    for (const auto& [key, value, type] : options)
        pairs.push_back({{key.data(), key.size()}, {value.data(), value.size()}});
    const chm_config config{pairs.data(), pairs.size()};
    std::array<char, 1024> text{};
    chm_error error{text.data(), text.size()};
    Instance* instance = nullptr;
    const auto rc = factory.create(&host, &config, &instance, &error);
    if (rc != CHM_OK) throw plugin_error(fmt::format("{} was refused: {}", what, explain(rc, text.data())), rc);
    const auto refuse = [&](const std::string& why) {
        throw plugin_error(fmt::format("{} is not usable: {}", what, why), CHM_E_FAIL);
    };
    if (instance == nullptr) refuse("create succeeded without an instance (NULL)");
    const auto* vt = instance->vt;
    if (vt == nullptr) refuse("it has no table of functions (NULL)");
    if (vt->size < sizeof(*vt))
        refuse(fmt::format("its table of functions has size {}, expected at least {}", vt->size, sizeof(*vt)));
    if (const char* name = missing_function(*vt)) refuse(fmt::format("its table of functions lacks {}", name));
    return instance;
}

} // namespace

executor_ptr registry::create_executor(const std::shared_ptr<const plugin>& from,
                                       std::span<const option_value> options) {
    if (!from->offers(plugin_kind::executor)) throw plugin_error("the plugin offers no executor", CHM_E_NOSYS);
    auto* made = create<chm_executor>(*from->executor_, *from->host_, options,
                                      fmt::format("an executor of plugin \"{}\"", from->entry().id));
    return {made, executor_destroy{from}};
}

transport_ptr registry::create_transport(const std::shared_ptr<const plugin>& from,
                                         std::span<const option_value> options) {
    if (!from->offers(plugin_kind::transport)) throw plugin_error("the plugin offers no transport", CHM_E_NOSYS);
    auto* made = create<chm_transport>(*from->transport_, *from->host_, options,
                                       fmt::format("a transport of plugin \"{}\"", from->entry().id));
    return {made, transport_destroy{from}};
}

coordinator_ptr registry::create_coordinator(const std::shared_ptr<const plugin>& from,
                                             std::span<const option_value> options) {
    if (!from->offers(plugin_kind::coordinator)) throw plugin_error("the plugin offers no coordinator", CHM_E_NOSYS);
    auto* made = create<chm_coordinator>(*from->coordinator_, *from->host_, options,
                                         fmt::format("a coordinator of plugin \"{}\"", from->entry().id));
    return {made, coordinator_destroy{from}};
}

// ---- where plugins are

std::vector<fs::path> plugin_path_of_environment() {
    std::vector<fs::path> folders;
    if (const char* variable = secure_getenv("CHIMERA_PLUGIN_PATH")) {
        std::string_view rest = variable;
        while (!rest.empty()) {
            const auto colon = rest.find(':');
            if (const auto folder = rest.substr(0, colon); !folder.empty()) folders.push_back(fs::absolute(folder));
            rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
        }
    }
    return folders;
}

std::vector<fs::path> own_plugin_path() {
    std::vector<fs::path> folders;
    const auto add = [&](const fs::path& folder) {
        const auto plain = folder.lexically_normal();
        if (std::find(folders.begin(), folders.end(), plain) == folders.end()) folders.push_back(plain);
    };
    std::error_code error;
    if (const auto program = fs::read_symlink("/proc/self/exe", error); !error) {
        add(program.parent_path() / "../lib/chimera");
        add(program.parent_path() / ".." / CHIMERA_LIBDIR / "chimera"); // if the installation was moved
    }
    add(CHIMERA_INSTALLED_PLUGIN_DIR);
    return folders;
}

} // namespace chimera::host
