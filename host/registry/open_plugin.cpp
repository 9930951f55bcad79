#include "registry/open_plugin.hpp"
#include "protocol/excerpt.hpp"
#include "registry/plugin_host.hpp"
#include "registry/result_name.hpp"
#include "registry/schema_check.hpp"
#include <algorithm>
#include <array>
#include <boost/dll/shared_library.hpp>
#include <cstring>
#include <fmt/format.h>
#include <vector>

namespace chimera::host {

namespace {

/// Boost's text is "what failed (dlerror system message: why)": why.
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

/// Never unloaded: a waker of a plugin may outlive everything that the host knows of. Never closed: the dynamic linker
/// knows a file by the name of its descriptor, and would take another one under the same number for this one.
std::vector<loaded_file>& loaded_files() {
    static auto& kept = *new std::vector<loaded_file>;
    return kept;
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
    if (!fault.empty()) refuse("offers an option that is not usable: " + fault);
}

} // namespace

std::string entry_fault(const chm_plugin_entry& entry) {
    // Through its last member in 1.0: a plugin of an earlier minor has no more, one of a later minor may have more.
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
            // Its location() is a name in /proc: what is shown to people is the file's path.
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
            fmt::format("{}: is no chimera plugin: it exports no symbol \"{}\"; define it with CHM_EXPORT",
                        path.string(), CHM_ENTRY_SYMBOL),
            CHM_E_FAIL);
    begins("while its entry was read");
    const auto& entry = library.get<const chm_plugin_entry>(CHM_ENTRY_SYMBOL);
    if (auto fault = entry_fault(entry); !fault.empty())
        throw plugin_error(fmt::format("{}: {}", path.string(), fault), CHM_E_FAIL);
    return entry;
}

std::shared_ptr<const plugin> initialize_plugin(const std::filesystem::path& path, const chm_plugin_entry& entry,
                                                const plugin_steps& begins) {
    const std::shared_ptr<plugin> made(new plugin(path, entry));
    const auto who = path.string();
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
    if (made->executor_ == nullptr && made->transport_ == nullptr)
        throw plugin_error(
            fmt::format("{}: offers neither \"{}\" nor \"{}\"", who, CHM_FACTORY_EXECUTOR, CHM_FACTORY_TRANSPORT),
            CHM_E_FAIL);
    begins("while its factories were read");
    if (made->executor_ != nullptr)
        check_factory(*made->executor_, plugin_kind::executor, who, &made->executor_options_);
    if (made->transport_ != nullptr)
        check_factory(*made->transport_, plugin_kind::transport, who, &made->transport_options_);
    return made;
}

std::string explain(chm_rc rc, const char* text) {
    if (*text == '\0') return fmt::format("{} ({}), without a message", result_name(rc), rc);
    return fmt::format("{} ({})", on_one_line(text), result_name(rc)); // it may not begin a line of its own
}

} // namespace chimera::host
