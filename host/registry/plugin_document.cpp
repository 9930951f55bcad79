#include "registry/plugin_document.hpp"
#include <chimera/abi/bridge.h>
#include <chimera/abi/recv.h>
#include <chimera/abi/service.h>
#include <chimera/abi/timing.h>
#include <chimera/sdk/reactor.hpp>
#include <fmt/format.h>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace chimera::host {

using json = nlohmann::ordered_json;

namespace {

std::string_view name_of_type(std::uint32_t type) {
    switch (type) {
    case CHM_OPT_BOOL:
        return "bool";
    case CHM_OPT_INT:
        return "int";
    case CHM_OPT_FLOAT:
        return "float";
    case CHM_OPT_STRING:
        return "string";
    case CHM_OPT_ENUM:
        return "enum";
    default:
        return "unknown";
    }
}

json option_document(const chm_option& o) {
    json option{{"name", o.name}, {"type", name_of_type(o.type)}, {"default", o.default_value}, {"help", o.help}};
    if (o.type == CHM_OPT_ENUM) option["choices"] = o.choices;
    if (o.min <= o.max && (o.type == CHM_OPT_INT || o.type == CHM_OPT_FLOAT)) {
        option["min"] = o.min;
        option["max"] = o.max;
    }
    return option;
}

std::vector<option_value> defaults(std::span<const chm_option> schema) {
    std::vector<option_value> values;
    for (const chm_option& o : schema) values.push_back({o.name, o.default_value, o.type});
    return values;
}

template <class Instance>
json extensions_of(Instance* instance, std::initializer_list<const char*> known) {
    json found = json::array();
    for (const char* id : known)
        if (instance->vt->get_extension(instance, id) != nullptr) found.push_back(id);
    return found;
}

} // namespace

json entry_document(const chm_plugin_entry& entry) {
    json flags = json::array();
    if ((entry.flags & CHM_PLUGIN_NO_TSAN) != 0) flags.push_back("no_tsan");
    if ((entry.flags & CHM_PLUGIN_SINGLE_INSTANCE) != 0) flags.push_back("single_instance");
    return {{"id", entry.id},
            {"version", entry.version},
            {"description", entry.description},
            {"abi", fmt::format("{}.{}", entry.abi_major, entry.abi_minor)},
            {"flags", std::move(flags)}};
}

json factory_document(const plugin& from, plugin_kind kind) {
    json factory{{"kind", to_string(kind)}, {"options", json::array()}};
    for (const chm_option& o : from.options(kind)) factory["options"].push_back(option_document(o));
    return factory;
}

json instance_document(const std::shared_ptr<const plugin>& from, plugin_kind kind) {
    json flags = json::array();
    try {
        if (kind == plugin_kind::transport) {
            const auto made = registry::create_transport(from, defaults(from->options(kind)));
            if ((made->vt->flags & CHM_TRANSPORT_SHARED) != 0) flags.push_back("shared");
            if ((made->vt->flags & CHM_TRANSPORT_HTTP2) != 0) flags.push_back("http2");
            return {{"flags", flags}, {"extensions", extensions_of(made.get(), {CHM_EXT_TIMING})}};
        }
        const auto made = registry::create_executor(from, defaults(from->options(kind)));
        if ((made->vt->flags & CHM_EXECUTOR_PINNED) != 0) flags.push_back("pinned");
        const chm_reactor* reactor = sdk::reactor_of(made.get());
        if (reactor != nullptr && (reactor->vt->flags & CHM_REACTOR_ANY_THREAD) != 0)
            flags.push_back("reactor_any_thread");
        return {{"flags", flags},
                {"extensions",
                 extensions_of(made.get(), {CHM_EXT_REACTOR, CHM_EXT_RECV, CHM_EXT_BRIDGE, CHM_EXT_SERVICE})}};
    } catch (const plugin_error& refused) {
        return {{"no_instance", refused.what()}};
    }
}

} // namespace chimera::host
