// What the host reads of a plugin's own structs, compiled with the headers of a later minor: plugins of today are
// older.
#include "registry/open_plugin.hpp"
#include <cstring>
#include <doctest/doctest.h>

using namespace chimera::host;

static_assert(CHM_ABI_MINOR > 0 && sizeof(chm_option) > 56 && sizeof(chm_plugin_entry) > 64,
              "these have to be the headers of a later minor");

namespace {

const chm_plugin_entry& opened(const char* file) {
    return open_entry(std::make_shared<const checked_file>(file), [](const char*) {});
}

const chm_executor_factory& executor_factory_of(const chm_plugin_entry& entry) {
    const auto* factory = static_cast<const chm_executor_factory*>(entry.get_factory(CHM_FACTORY_EXECUTOR));
    REQUIRE(factory != nullptr);
    return *factory;
}

} // namespace

TEST_CASE("a host of a later minor takes an earlier minor's entry, and sees that its later members are not there") {
    const auto& entry = opened(BAD_PLUGINS "/good_executor.so");
    CHECK(entry.abi_minor < CHM_ABI_MINOR);
    CHECK(CHM_HAS(&entry, get_factory));
    CHECK_FALSE(CHM_HAS(&entry, later));
}

TEST_CASE("a host of a later minor reads an earlier minor's options, each at its own distance") {
    const auto& factory = executor_factory_of(opened(BAD_PLUGINS "/good_two_options.so"));
    std::string fault;
    const auto options = read_schema(factory.options, factory.n_options, &fault);
    CHECK(fault == "");
    REQUIRE(options.size() == 2);
    CHECK(std::string(options[0].name) == "workers");
    CHECK(std::string(options[1].name) == "mode");
    CHECK(schema_fault(options) == "");
    for (const auto& option : options) {
        CHECK_FALSE(CHM_HAS(&option, later));
        CHECK(option.later[0] == 0); // what is not there reads as zero: the default
    }
}

#ifdef __x86_64__
TEST_CASE("a host of a later minor opens the plugins that were built for 1.0") {
    CHECK(opened(KEPT_PLUGINS "/abi_1_0_executor.so").size == 64);
    CHECK(opened(KEPT_PLUGINS "/abi_1_0_transport.so").size == 64);
}
#endif

TEST_CASE("what is smaller than 1.0 is refused") {
    const auto& given = opened(BAD_PLUGINS "/good_executor.so");
    chm_plugin_entry entry{}; // as far as an earlier minor's goes
    std::memcpy(&entry, &given, given.size);
    --entry.size;
    CHECK(entry_fault(entry).find("has size 63, expected at least 64") != std::string::npos);
    chm_option option{};
    option.size = 48;
    std::string fault;
    CHECK(read_schema(&option, 1, &fault).empty());
    CHECK(fault == "option 0 has size 48, expected at least 56");
}
