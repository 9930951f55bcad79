#include "registry/open_plugin.hpp"

#include "profile/options.hpp"
#include "protocol/excerpt.hpp"

#include <chimera/sdk/result_name.hpp>

#include <boost/dll/shared_library.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <set>
#include <vector>

namespace chimera::host {

// ---- the host that a plugin sees

namespace {

spdlog::level::level_enum level_of(std::int32_t level) {
    switch (level) {
    case CHM_LOG_DEBUG:
        return spdlog::level::debug;
    case CHM_LOG_INFO:
        return spdlog::level::info;
    case CHM_LOG_WARN:
        return spdlog::level::warn;
    default:
        return spdlog::level::err;
    }
}

void log_line(const chm_host* host, std::int32_t level, chm_str message) noexcept {
    try {
        const std::string_view text(message.ptr == nullptr ? "" : message.ptr,
                                    message.ptr == nullptr ? 0 : message.len);
        spdlog::log(level_of(level), "[{}] {}", static_cast<const plugin_host*>(host)->id, text);
    } catch (...) { // a failed log line must not end a run
    }
}

const void* no_extension(const chm_host*, const char*) noexcept { return nullptr; }

} // namespace

plugin_host::plugin_host(std::string plugin_id)
    : chm_host{sizeof(chm_host), log_line, no_extension}, id(std::move(plugin_id)) {}

// ---- plugin

plugin::plugin(checked_file_ptr file, const chm_plugin_entry& entry)
    : file_(std::move(file)), entry_(&entry), host_(std::make_unique<plugin_host>(entry.id)) {}

plugin::~plugin() {
    if (initialized_ && entry_->deinit != nullptr) entry_->deinit();
}

const std::filesystem::path& plugin::path() const { return file_->path(); }

bool plugin::offers(plugin_kind kind) const {
    switch (kind) {
    case plugin_kind::executor:
        return executor_ != nullptr;
    case plugin_kind::transport:
        return transport_ != nullptr;
    case plugin_kind::coordinator:
        break;
    }
    return coordinator_ != nullptr;
}

std::span<const chm_option> plugin::options(plugin_kind kind) const {
    switch (kind) {
    case plugin_kind::executor:
        return executor_options_;
    case plugin_kind::transport:
        return transport_options_;
    case plugin_kind::coordinator:
        break;
    }
    return coordinator_options_;
}

void executor_destroy::operator()(chm_executor* executor) const { executor->vt->destroy(executor); }
void transport_destroy::operator()(chm_transport* transport) const { transport->vt->destroy(transport); }
void coordinator_destroy::operator()(chm_coordinator* coordinator) const { coordinator->vt->destroy(coordinator); }

// ---- option schemas

namespace {

bool is_snake_case(std::string_view part) {
    if (part.empty() || part.front() < 'a' || part.front() > 'z') return false;
    return std::all_of(part.begin(), part.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

bool is_dotted_snake_case(std::string_view name) {
    for (;;) {
        const auto dot = name.find('.');
        if (!is_snake_case(name.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        name.remove_prefix(dot + 1);
    }
}

std::string option_fault(const chm_option& option) {
    if (option.name == nullptr) return "has no name (NULL), expected text in snake_case";
    if (!is_dotted_snake_case(option.name))
        return fmt::format("is called \"{}\", expected snake_case with dots between tables", option.name);
    if (option.type < CHM_OPT_BOOL || option.type > CHM_OPT_ENUM)
        return fmt::format("has type {}, expected {} to {}", option.type, CHM_OPT_BOOL + 0, CHM_OPT_ENUM + 0);
    if (option.help == nullptr || *option.help == '\0') return "has no help, expected one line";
    if (option.type == CHM_OPT_ENUM) {
        const auto words = choices_of(option);
        if (words.empty() || std::find(words.begin(), words.end(), "") != words.end())
            return "has no choices, expected \"a|b\"";
    } else if (option.choices != nullptr) {
        return "has choices, expected NULL for everything but CHM_OPT_ENUM";
    }
    if (std::isnan(option.min) || std::isnan(option.max)) return "has a range that is not a number";
    if (option.default_value == nullptr) return "has no default (NULL), expected text";
    if (const auto value = check_text(option, option.default_value); !value.fault.empty())
        return fmt::format("has a default that it would not accept: {}", value.fault);
    return {};
}

} // namespace

std::string schema_fault(std::span<const chm_option> schema) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < schema.size(); ++i) {
        const auto& option = schema[i];
        auto fault = option_fault(option);
        if (fault.empty() && !names.insert(option.name).second) fault = "has the name of an earlier one";
        if (!fault.empty())
            return fmt::format("option {}{} {}", i, option.name == nullptr ? "" : fmt::format(" ({})", option.name),
                               fault);
    }
    // TOML cannot contain both "a" and "a.b".
    for (const auto& name : names)
        for (auto dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
            if (names.count(name.substr(0, dot)) != 0)
                return fmt::format("option {} lies inside option {}, expected one or the other", name,
                                   name.substr(0, dot));
    return {};
}

std::span<const chm_option> read_schema(const chm_option* options, std::uint32_t n, std::string* fault) {
    if (n == 0) return {};
    if (options == nullptr) {
        *fault = fmt::format("n_options is {}, but options is NULL", n);
        return {};
    }
    const auto size = options->size;                                         // also the distance between elements
    constexpr auto least = offsetof(chm_option, max) + sizeof(options->max); // the size in 1.0
    if (size < least || size % alignof(chm_option) != 0 || size > 64 * sizeof(chm_option)) {
        *fault = fmt::format("option 0 has size {}, expected at least {}", size, least);
        return {};
    }
    if (size == sizeof(chm_option)) return {options, n};
    static auto& kept = *new std::vector<std::vector<chm_option>>;
    auto& copy = kept.emplace_back(n);
    const auto* bytes = reinterpret_cast<const char*>(options);
    for (std::size_t i = 0; i < n; ++i)
        std::memcpy(&copy[i], bytes + i * size, std::min<std::size_t>(size, sizeof(chm_option)));
    return copy;
}

// ---- opening

namespace {

/// The reason in Boost's text "what failed (dlerror system message: reason)".
std::string reason(const std::exception& error) {
    std::string text = error.what();
    constexpr std::string_view mark = "dlerror system message: ";
    const auto begin = text.find(mark);
    const auto end = text.rfind(')');
    if (begin == std::string::npos || end == std::string::npos || end < begin + mark.size()) return text;
    return text.substr(begin + mark.size(), end - begin - mark.size());
}

bool is_id(std::string_view id) {
    if (id.empty() || id.front() < 'a' || id.front() > 'z') return false;
    for (const char c : id)
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
    return true;
}

struct loaded_file {
    checked_file_ptr file;
    boost::dll::shared_library library;
};

/// Never unloaded, because a waker of a plugin may outlive everything that the host knows of. Never closed, because the
/// dynamic linker knows a file by the name of its descriptor, and would mistake another file with the same number for
/// it.
std::vector<loaded_file>& loaded_files() {
    static auto& kept = *new std::vector<loaded_file>;
    return kept;
}

/// Checks the members that all kinds of factories share.
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
    if (!fault.empty()) refuse("offers an option that is not usable: " + fault);
}

} // namespace

std::string entry_fault(const chm_plugin_entry& entry) {
    // Up to its last member in 1.0. A plugin of a later minor may have more.
    constexpr auto least = offsetof(chm_plugin_entry, get_factory) + sizeof(entry.get_factory);
    if (entry.size < least)
        return fmt::format("its entry has size {}, expected at least {}; build it with the headers of contract {}.x",
                           entry.size, least, CHM_ABI_MAJOR);
    if (entry.abi_major != CHM_ABI_MAJOR)
        return fmt::format("is built for contract {}.{}, expected {}.x; build it with this host's headers",
                           entry.abi_major, entry.abi_minor, CHM_ABI_MAJOR);
    if (entry.id == nullptr) return "its entry has no id (NULL), expected the name that profiles use";
    if (!is_id(entry.id)) return fmt::format("its entry has the id \"{}\", expected [a-z][a-z0-9_]*", entry.id);
    if (entry.version == nullptr) return "its entry has no version (NULL), expected text such as \"1.0.0\"";
    if (entry.description == nullptr) return "its entry has no description (NULL), expected one line";
    if (entry.get_factory == nullptr) return "its entry has no get_factory (NULL), expected a function";
    return {};
}

const chm_plugin_entry& open_entry(const checked_file_ptr& file, const plugin_steps& begins) {
    namespace dll = boost::dll;
    const auto& path = file->path();
    begins("while it was loaded");
    auto& kept = loaded_files();
    auto found = std::find_if(kept.begin(), kept.end(), [&](const auto& one) { return one.file->id() == file->id(); });
    if (found == kept.end()) try {
            // Its location() is a name in /proc; messages show the file's path.
            dll::shared_library library(file->loadable(), dll::load_mode::rtld_now | dll::load_mode::rtld_local);
            found = kept.insert(kept.end(), {file, std::move(library)});
        } catch (const std::exception& error) {
            throw plugin_error(
                fmt::format("{}: cannot be loaded: {}", path.string(), file->with_real_path(reason(error))),
                CHM_E_FAIL);
        }
    const auto& library = found->library;
    if (!library.has(CHM_ENTRY_SYMBOL))
        throw plugin_error(
            fmt::format("{}: is not a chimera plugin: it does not export the symbol \"{}\"; define it with CHM_EXPORT",
                        path.string(), CHM_ENTRY_SYMBOL),
            CHM_E_FAIL);
    begins("while its entry was read");
    const auto& entry = library.get<const chm_plugin_entry>(CHM_ENTRY_SYMBOL);
    if (auto fault = entry_fault(entry); !fault.empty())
        throw plugin_error(fmt::format("{}: {}", path.string(), fault), CHM_E_FAIL);
    return entry;
}

std::shared_ptr<const plugin> initialize_plugin(const checked_file_ptr& file, const chm_plugin_entry& entry,
                                                const plugin_steps& begins) {
    const std::shared_ptr<plugin> made(new plugin(file, entry));
    const auto who = file->path().string();
    if (entry.init != nullptr) {
        std::array<char, 1024> text{};
        chm_error error{text.data(), text.size()};
        begins("in its init");
        if (const auto rc = entry.init(made->host_.get(), &error); rc != CHM_OK)
            throw plugin_error(fmt::format("{}: its init failed: {}", who, explain(rc, text.data())), rc);
    }
    made->initialized_ = true;
    begins("in its get_factory");
    made->executor_ = static_cast<const chm_executor_factory*>(entry.get_factory(CHM_FACTORY_EXECUTOR));
    made->transport_ = static_cast<const chm_transport_factory*>(entry.get_factory(CHM_FACTORY_TRANSPORT));
    made->coordinator_ = static_cast<const chm_coordinator_factory*>(entry.get_factory(CHM_FACTORY_COORDINATOR));
    if (made->executor_ == nullptr && made->transport_ == nullptr && made->coordinator_ == nullptr)
        throw plugin_error(fmt::format("{}: offers none of \"{}\", \"{}\" and \"{}\"", who, CHM_FACTORY_EXECUTOR,
                                       CHM_FACTORY_TRANSPORT, CHM_FACTORY_COORDINATOR),
                           CHM_E_FAIL);
    begins("while its factories were read");
    if (made->executor_ != nullptr)
        check_factory(*made->executor_, plugin_kind::executor, who, &made->executor_options_);
    if (made->transport_ != nullptr)
        check_factory(*made->transport_, plugin_kind::transport, who, &made->transport_options_);
    if (made->coordinator_ != nullptr)
        check_factory(*made->coordinator_, plugin_kind::coordinator, who, &made->coordinator_options_);
    return made;
}

std::string explain(chm_rc rc, const char* text) {
    const char* const known = sdk::result_name(rc);
    const std::string_view name = known ? known : "an unknown code";
    if (*text == '\0') return fmt::format("{} ({}), without a message", name, rc);
    return fmt::format("{} ({})", on_one_line(text), name); // it may not begin a line of its own
}

} // namespace chimera::host
