#include "registry/open_plugin.hpp"
#include "registry/plugin_host.hpp"
#include "registry/registry.hpp"
#include <array>
#include <fmt/format.h>
#include <vector>

namespace chimera::host {

namespace {

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

} // namespace chimera::host
