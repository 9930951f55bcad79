#include "registry/registry.hpp"
#include "profile/nearest.hpp"
#include "registry/open_plugin.hpp"
#include "registry/plugin_file.hpp"
#include "registry/plugin_host.hpp"
#include "registry/schema_check.hpp"
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <variant>

namespace chimera::host {

namespace fs = std::filesystem;

namespace {

bool is_path(std::string_view name) { return name.find('/') != std::string_view::npos || name.ends_with(".so"); }

/// Something has this name, be it a link that leads nowhere: that deserves its own message.
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

/// Every factory of either kind begins alike.
template <class Factory>
void check_factory(const Factory& factory, plugin_kind kind, const std::string& who,
                   std::span<const chm_option>* options) {
    const auto refuse = [&](const std::string& why) {
        throw plugin_error(fmt::format("{}: its {} factory {}", who, to_string(kind), why), CHM_E_FAIL);
    };
    if (factory.size < sizeof(Factory))
        refuse(fmt::format("has size {}, expected at least {}", factory.size, sizeof(Factory)));
    if (factory.create == nullptr) refuse("has no create (NULL), expected a function");
    std::string fault;
    *options = read_schema(factory.options, factory.n_options, &fault);
    if (fault.empty()) fault = schema_fault(*options);
    if (!fault.empty()) refuse(fault);
}

/// The name of the first function that an instance's table lacks, or null.
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

/// Calls a factory and checks what it made. An instance without a usable table cannot even be destroyed.
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

struct registry::state {
    using loaded = std::variant<std::shared_ptr<const plugin>, plugin_error>;

    registry_settings settings;
    std::map<fs::path, loaded> by_path; // a plugin that failed is not initialized a second time

    std::vector<fs::path> folders(const fs::path& first) const {
        std::vector<fs::path> all;
        if (!first.empty()) all.push_back(first);
        all.insert(all.end(), settings.search.begin(), settings.search.end());
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
                                       tried[0] == tried[1] ? ""
                                                            : " in " + (folder.empty() ? "." : folder.string()) +
                                                                  " nor in the working directory",
                                       hint.empty() ? "" : "; ", hint),
                           CHM_E_FAIL);
    }

    fs::path find_id(const std::string& id, const fs::path& folder) const {
        std::vector<std::string> known;
        std::string looked;
        for (const auto& where : folders(folder)) {
            if (const auto path = where / (id + ".so"); is_there(path)) return fs::absolute(path);
            for (const auto& file : libraries_in(where)) known.push_back(file.stem());
            looked += (looked.empty() ? "" : ", ") + where.string();
        }
        const auto hint = suggest(id, known);
        throw plugin_error(
            fmt::format("no plugin \"{}\"{}{}; looked in {}", id, hint.empty() ? "" : "; ", hint, looked), CHM_E_FAIL);
    }
};

registry::registry(registry_settings settings) : state_(std::make_unique<state>()) {
    state_->settings = std::move(settings);
}

registry::~registry() = default;

std::shared_ptr<const plugin> registry::open(const fs::path& file) {
    const auto path = check_plugin_file(file, state_->settings.allow_untrusted);
    auto found = state_->by_path.find(path);
    if (found == state_->by_path.end()) {
        state::loaded result;
        try {
            result = initialize(path);
        } catch (const plugin_error& error) {
            result = error;
        }
        found = state_->by_path.emplace(path, std::move(result)).first;
    }
    if (const auto* error = std::get_if<plugin_error>(&found->second)) throw *error;
    return std::get<std::shared_ptr<const plugin>>(found->second);
}

std::shared_ptr<const plugin> registry::initialize(const fs::path& path) {
    const auto& entry = open_entry(path);
    const std::shared_ptr<plugin> made(new plugin(path, entry));
    const auto who = path.string();
    if (entry.init != nullptr) {
        std::array<char, 1024> text{};
        chm_error error{text.data(), text.size()};
        if (const auto rc = entry.init(made->host_.get(), &error); rc != CHM_OK)
            throw plugin_error(fmt::format("{}: its init failed: {}", who, explain(rc, text.data())), rc);
    }
    made->initialized_ = true;
    made->executor_ = static_cast<const chm_executor_factory*>(entry.get_factory(CHM_FACTORY_EXECUTOR));
    made->transport_ = static_cast<const chm_transport_factory*>(entry.get_factory(CHM_FACTORY_TRANSPORT));
    if (made->executor_ == nullptr && made->transport_ == nullptr)
        throw plugin_error(
            fmt::format("{}: offers neither \"{}\" nor \"{}\"", who, CHM_FACTORY_EXECUTOR, CHM_FACTORY_TRANSPORT),
            CHM_E_FAIL);
    if (made->executor_ != nullptr)
        check_factory(*made->executor_, plugin_kind::executor, who, &made->executor_options_);
    if (made->transport_ != nullptr)
        check_factory(*made->transport_, plugin_kind::transport, who, &made->transport_options_);
    return made;
}

std::shared_ptr<const plugin> registry::load(plugin_kind kind, const std::string& name, const fs::path& directory) {
    const bool by_path = is_path(name);
    const auto file = by_path ? state_->find_file(name, directory) : state_->find_id(name, directory);
    auto found = open(file);
    if (!by_path && found->entry().id != name)
        throw plugin_error(fmt::format("{}: its id is \"{}\", expected \"{}\" as the file is called; rename the file",
                                       file.string(), found->entry().id, name),
                           CHM_E_FAIL);
    if (!found->offers(kind)) {
        const auto other = kind == plugin_kind::executor ? plugin_kind::transport : plugin_kind::executor;
        throw plugin_error(fmt::format("\"{}\" is no {} plugin, it offers only a {} ({})", found->entry().id,
                                       to_string(kind), to_string(other), found->path().string()),
                           CHM_E_NOSYS);
    }
    return found;
}

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

std::vector<plugin_listing> registry::list(const fs::path& directory) {
    std::vector<plugin_listing> lines;
    std::map<std::string, fs::path> first; // by stem, as ids are looked for
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
                const auto found = open(file);
                const auto& entry = found->entry();
                line.version = entry.version;
                line.description = entry.description;
                for (const auto kind : {plugin_kind::executor, plugin_kind::transport})
                    if (found->offers(kind)) line.factories.push_back({kind, found->options(kind)});
                if (entry.id != line.id) {
                    line.error = fmt::format("{}: its id is \"{}\"; rename the file to {}.so", file.string(), entry.id,
                                             entry.id);
                    line.id = entry.id;
                }
            } catch (const plugin_error& refused) {
                line.error = refused.what();
            }
            lines.push_back(std::move(line));
        }
    }
    return lines;
}

} // namespace chimera::host
