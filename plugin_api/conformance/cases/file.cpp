// The plugin's file: what is legal in a shared library and unwise in one that shares a process with others.
#include <string>

#include "../case.hpp"
#include "../kit/environment.hpp"
#include "../kit/loaded_file.hpp"

namespace chimera::conformance {

namespace {

void one_symbol(environment& env) {
    std::string others;
    unsigned n = 0;
    for (const std::string& name : loaded_file::at(env.plugin().address()).exported)
        if (name != CHM_ENTRY_SYMBOL && ++n <= 3) others += " " + name;
    if (n > 0)
        throw unwise(
            "it also exports" + others + (n > 3 ? " and " + std::to_string(n - 3) + " more" : "") +
            ": add -Wl,--version-script=$(pkg-config --variable=version_script chimera_plugin_api) to its link, as "
            "chimera_add_plugin does; -fvisibility=hidden alone leaves what libstdc++ instantiates");
}

void stays_loaded(environment& env) {
    if (!loaded_file::at(env.plugin().address()).no_delete)
        throw unwise("a waker may outlive everything else: link with -Wl,-z,nodelete");
}

void code_stays_code(environment& env) {
    const loaded_file file = loaded_file::at(env.plugin().address());
    if (file.text_relocations) throw unwise("the loader has to write into its code: compile with -fPIC");
    if (file.executable_stack) throw unwise("it makes the stack executable: link with -z noexecstack");
}

void named_for_id(environment& env) {
    const std::string id = env.plugin().entry().id;
    if (env.settings().plugin.filename() != id + ".so")
        throw unwise("its id is " + id + ": a profile that names it so looks for " + id + ".so");
}

constexpr test_case cases[] = {
    {"file.one_symbol", kind::plugin, "The file exports the entry and nothing else", one_symbol},
    {"file.stays_loaded", kind::plugin, "The file is linked never to be unloaded", stays_loaded},
    {"file.code_stays_code", kind::plugin, "Loading the file makes neither code writable nor the stack executable",
     code_stays_code},
    {"file.named_for_id", kind::plugin, "The file is called as its id, so that profiles find it", named_for_id},
};

} // namespace

std::span<const test_case> file_cases() { return cases; }

} // namespace chimera::conformance
