// The plugin as a file and as an entry: what a loader and a host see before anything is made of it.
#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "../case.hpp"
#include "../kit/environment.hpp"
#include "../kit/plugin_file.hpp"

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

void describes_itself(environment& env) {
    const chm_plugin_entry& e = env.plugin().entry();
    expect(is_snake_case(e.id), "the id must be of the form [a-z][a-z0-9_]*");
    expect(e.version != nullptr, "there must be a version");
    expect(e.description != nullptr, "there must be a description");
    expect(std::string_view(e.description).find('\n') == std::string_view::npos, "the description must be one line");
    if (e.abi_minor <= CHM_ABI_MINOR)
        expect((e.flags & ~std::uint32_t{CHM_PLUGIN_NO_TSAN | CHM_PLUGIN_SINGLE_INSTANCE}) == 0,
               "flags must be ones that exist");
}

void says_something(environment& env) {
    const chm_plugin_entry& e = env.plugin().entry();
    if (e.version && !*e.version) throw unwise("the version is empty: results cannot say what they were made with");
    if (e.description && !*e.description) throw unwise("the description is empty");
    const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
    for (const char* text : {e.version, e.description})
        if (text && std::any_of(text, text + std::strlen(text), is_control))
            throw unwise("version or description has control characters, which listings escape");
}

void known_minor(environment& env) {
    const std::uint32_t minor = env.plugin().entry().abi_minor;
    if (minor > CHM_ABI_MINOR)
        throw unwise("it was built for contract " + std::to_string(CHM_ABI_MAJOR) + "." + std::to_string(minor) +
                     "; what came after " + std::to_string(CHM_ABI_MAJOR) + "." + std::to_string(CHM_ABI_MINOR) +
                     " is not tried");
}

template <class Factory>
bool is_whole(const Factory& f) {
    return f.size >= sizeof f && f.create && (f.n_options == 0 || f.options);
}

void has_factory(environment& env) {
    if (const auto* f = env.plugin().executors()) expect(is_whole(*f), "the executor factory must be whole");
    if (const auto* f = env.plugin().transports()) expect(is_whole(*f), "the transport factory must be whole");
    if (const auto* f = env.plugin().coordinators()) expect(is_whole(*f), "the coordinator factory must be whole");
}

const std::array odd_ids{"",
                         " ",
                         "chimera",
                         "chimera.executor.factory",
                         "chimera.executor.factory/0",
                         "chimera.executor.factory/10",
                         "CHIMERA.EXECUTOR.FACTORY/1",
                         "chimera.transport.factory/1 ",
                         "chimera.coordinator.factory/2",
                         "\xff\xfe",
                         "%s%n",
                         "vendor.name/1"};

void unknown_factory(environment& env) {
    const auto get = env.plugin().entry().get_factory;
    for (const char* id : odd_ids) expect(get(id) == nullptr, "an unknown factory id must give NULL");
    expect(get(std::string(100'000, 'x').c_str()) == nullptr, "a long factory id must give NULL");
}

void constant_factory(environment& env) {
    const auto get = env.plugin().entry().get_factory;
    expect(get(CHM_FACTORY_EXECUTOR) == env.plugin().executors(), "the executor factory must stay the same");
    expect(get(CHM_FACTORY_TRANSPORT) == env.plugin().transports(), "the transport factory must stay the same");
    expect(get(CHM_FACTORY_COORDINATOR) == env.plugin().coordinators(), "the coordinator factory must stay the same");
}

void unknown_extension(environment& env) {
    const auto e = env.make_executor();
    const auto get = e->raw()->vt->get_extension;
    for (const char* id : odd_ids) expect(get(e->raw(), id) == nullptr, "an unknown extension must give NULL");
    expect(get(e->raw(), std::string(100'000, 'x').c_str()) == nullptr, "a long extension id must give NULL");
    for (const char* id : {CHM_EXT_REACTOR, CHM_EXT_BRIDGE})
        expect(get(e->raw(), id) == get(e->raw(), id), "the answer for an extension must never change");
    if (chm_reactor* r = e->reactor()) {
        expect(r->vt && r->vt->size >= sizeof(chm_reactor_vt), "the reactor's table must be whole");
        for (const char* id : odd_ids)
            expect(r->vt->get_extension(r, id) == nullptr, "an unknown reactor extension must give NULL");
    }
}

void unknown_coordinator_extension(environment& env) {
    const std::shared_ptr<chm_coordinator> c(env.make_coordinator(), [](chm_coordinator* x) { x->vt->destroy(x); });
    const auto get = c->vt->get_extension;
    for (const char* id : odd_ids) expect(get(c.get(), id) == nullptr, "an unknown extension must give NULL");
    expect(get(c.get(), std::string(100'000, 'x').c_str()) == nullptr, "a long extension id must give NULL");
}

constexpr test_case cases[] = {
    {"file.one_symbol", kind::plugin, "The file exports the entry and nothing else", one_symbol},
    {"file.stays_loaded", kind::plugin, "The file is linked never to be unloaded", stays_loaded},
    {"file.code_stays_code", kind::plugin, "Loading the file needs no writable code and no executable stack",
     code_stays_code},
    {"file.named_for_id", kind::plugin, "The file's name is its id, so that profiles find it", named_for_id},
    {"entry.describes_itself", kind::plugin, "The entry has a well-formed id, a version and a description",
     describes_itself},
    {"entry.says_something", kind::plugin, "Version and description are text that can be shown", says_something},
    {"entry.known_minor", kind::plugin, "This kit knows the contract's minor version", known_minor},
    {"entry.whole_factory", kind::plugin, "A factory is as large as in the contract and has a create function",
     has_factory},
    {"entry.unknown_factory", kind::plugin, "An unknown factory id gives NULL, whatever the string", unknown_factory},
    {"entry.constant_factory", kind::plugin, "Asked twice for a factory, the plugin gives the same one",
     constant_factory},
    {"entry.unknown_extension", kind::executor, "An unknown extension id gives NULL, whatever the string",
     unknown_extension},
    {"entry.unknown_coordinator_extension", kind::coordinator,
     "A coordinator gives NULL for an unknown extension id, whatever the string", unknown_coordinator_extension},
};

} // namespace

std::span<const test_case> entry_cases() { return cases; }

} // namespace chimera::conformance
