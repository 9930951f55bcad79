#include "registry/trial.hpp"

#include "registry/open_plugin.hpp"

#include <chimera/abi/bridge.h>
#include <chimera/abi/recv.h>
#include <chimera/abi/service.h>
#include <chimera/abi/timing.h>
#include <chimera/sdk/reactor.hpp>
#include <conformance/kit/forked.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <initializer_list>
#include <sstream>
#include <string_view>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

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

/// {id, version, description, abi, flags}
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

/// {kind, options}
json factory_document(const plugin& from, plugin_kind kind) {
    json factory{{"kind", to_string(kind)}, {"options", json::array()}};
    for (const chm_option& o : from.options(kind)) factory["options"].push_back(option_document(o));
    return factory;
}

/// {flags, extensions} of an instance with default options, or {no_instance}.
json instance_document(const std::shared_ptr<const plugin>& from, plugin_kind kind) {
    json flags = json::array();
    try {
        if (kind == plugin_kind::transport) {
            const auto made = registry::create_transport(from, defaults(from->options(kind)));
            if ((made->vt->flags & CHM_TRANSPORT_SHARED) != 0) flags.push_back("shared");
            if ((made->vt->flags & CHM_TRANSPORT_HTTP2) != 0) flags.push_back("http2");
            return {{"flags", flags}, {"extensions", extensions_of(made.get(), {CHM_EXT_TIMING})}};
        }
        if (kind == plugin_kind::coordinator) {
            const auto made = registry::create_coordinator(from, defaults(from->options(kind)));
            if ((made->vt->flags & CHM_COORDINATOR_IN_PROCESS) != 0) flags.push_back("in_process");
            return {{"flags", flags}, {"extensions", json::array()}};
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

// ---- the child

/// The child's end of the pipe. Every line is an object whose members replace those of earlier lines, so the last ones
/// count even if the child then dies.
class told {
  public:
    explicit told(int fd) : fd_(fd) {}
    void operator()(const json& members) const {
        const auto line = members.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
        for (std::size_t done = 0; done < line.size();) {
            const auto n = write(fd_, line.data() + done, line.size() - done);
            if (n < 0 && errno != EINTR) return;
            if (n > 0) done += static_cast<std::size_t>(n);
        }
    }
    void step(const std::string& what) const { (*this)({{"step", what}}); }

  private:
    int fd_;
};

void live_in_child(const checked_file_ptr& file, trial_depth depth, const told& tell) {
    const plugin_steps steps = [&tell](const char* step) { tell.step(step); };
    try {
        const auto& entry = open_entry(file, steps);
        tell(entry_document(entry));
        auto found = initialize_plugin(file, entry, steps);
        json factories = json::array();
        for (const auto kind : plugin_kinds) {
            if (!found->offers(kind)) continue;
            factories.push_back(factory_document(*found, kind));
            tell({{"factories", factories}});
            if (depth == trial_depth::load) continue;
            tell.step(fmt::format("while its {} was made, asked for extensions or destroyed", to_string(kind)));
            factories.back().update(instance_document(found, kind));
            tell({{"factories", factories}});
        }
        tell.step("in its deinit");
        found.reset();
        tell({{"done", true}});
    } catch (const plugin_error& refused) {
        tell({{"refused", refused.what()}, {"rc", refused.rc()}, {"done", true}});
    }
}

void live_in_child(std::span<const checked_file_ptr> files, trial_depth depth, int fd) {
    for (const int fatal :
         {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV}) // a handler would report them as faults of this process
        std::signal(fatal, SIG_DFL);
    dup2(STDERR_FILENO, STDOUT_FILENO); // standard output is for results
    spdlog::set_level(spdlog::level::off);
    for (const auto& file : files) live_in_child(file, depth, told(fd));
}

std::string end_of(const conformance::forked_end& child, std::chrono::milliseconds limit) {
    if (!child.in_time) return fmt::format("hung (no end within {:g} s)", std::chrono::duration<double>(limit).count());
    if (WIFEXITED(child.status)) return fmt::format("ended the process (exit status {})", WEXITSTATUS(child.status));
    const char* name = sigabbrev_np(WTERMSIG(child.status));
    return fmt::format("crashed (SIG{})", name != nullptr ? name : std::to_string(WTERMSIG(child.status)));
}

/// The outcome for a plugin that the child finished, or that ended the child.
trial outcome_of(const checked_file& file, json said, const conformance::forked_end& child,
                 std::chrono::milliseconds limit) {
    const auto taken = [&said](const char* key) {
        json value = said.contains(key) ? said[key] : json();
        said.erase(key);
        return value;
    };
    const json done = taken("done"), refused = taken("refused"), rc = taken("rc"), step = taken("step");
    trial out{std::move(said), {}, CHM_OK};
    if (refused.is_string()) {
        out.fault = refused.get<std::string>();
        out.rc = rc.get<chm_rc>();
    } else if (done.is_null()) {
        out.fault = fmt::format("{}: {} {}; it is not loaded", file.path().string(), end_of(child, limit),
                                step.is_string() ? step.get<std::string>() : "before it was loaded");
        out.rc = CHM_E_FAIL;
    }
    return out;
}

} // namespace

std::vector<trial> try_plugins(std::span<const checked_file_ptr> files, trial_depth depth,
                               std::chrono::milliseconds limit) {
    std::vector<trial> tried;
    while (tried.size() < files.size()) {
        const auto first = tried.size();
        const auto rest = files.subspan(first);
        const auto child = conformance::run_forked([&](int out) { live_in_child(rest, depth, out); }, limit);
        json said = json::object();
        const auto next = [&] {
            tried.push_back(outcome_of(*files[tried.size()], std::exchange(said, json::object()), child, limit));
        };
        std::istringstream lines(child.told);
        for (std::string line; std::getline(lines, line);) {
            const auto members = json::parse(line, nullptr, false);
            if (members.is_object()) said.update(members); // the last line may be incomplete if the child died
            if (said.contains("done")) next();
        }
        // The first plugin of a child is blamed for its end. Another one is tried again as the first of a new child,
        // with the whole limit and no other plugin in the process.
        if (tried.size() == first) next();
    }
    return tried;
}

trial try_plugin(const checked_file_ptr& file, trial_depth depth, std::chrono::milliseconds limit) {
    return try_plugins({&file, 1}, depth, limit).front();
}

} // namespace chimera::host
