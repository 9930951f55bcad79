// A plugin's shared library: the file as the loader sees it, and the factories of its entry.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "chimera/abi.h"

namespace chimera::conformance {

struct loaded_file {
    std::vector<std::string> exported; ///< defined dynamic symbols that others may bind to, sorted
    bool no_delete = false;            ///< linked with -z nodelete
    bool text_relocations = false;     ///< the loader had to write into its code
    bool executable_stack = false;     ///< asks for one

    /// The file that is mapped at this address. Throws std::runtime_error when there is none.
    static loaded_file at(const void* address);
};

/// The host that the plugin gets: logs to stderr if `verbose`, offers no extension.
const chm_host* kit_host(bool verbose) noexcept;

/// The size of an option in contract 1.0, the smallest that is allowed.
constexpr std::size_t least_option_size = offsetof(chm_option, max) + sizeof(chm_option::max);

/// Whether it is of the form [a-z][a-z0-9_]*, as ids and the parts of an option's name are.
bool is_snake_case(std::string_view) noexcept;

/// A loaded and initialised plugin. Never unloaded; deinit() once, after its instances are gone.
class plugin_file {
  public:
    /// loadable: what to give to dlopen for this path; none: the path itself, made absolute. Throws std::runtime_error
    /// that names the path and what is wrong with the file.
    plugin_file(const std::filesystem::path&, const chm_host*,
                const std::function<std::filesystem::path(const std::filesystem::path&)>& loadable = {});
    plugin_file(const plugin_file&) = delete;
    plugin_file& operator=(const plugin_file&) = delete;
    ~plugin_file();

    const chm_plugin_entry& entry() const noexcept { return *entry_; }
    /// One instance of it may be alive at a time.
    bool single_instance() const noexcept { return (entry_->flags & CHM_PLUGIN_SINGLE_INSTANCE) != 0; }
    /// NULL when it has none.
    const chm_executor_factory* executors() const noexcept { return executors_; }
    const chm_transport_factory* transports() const noexcept { return transports_; }
    const chm_coordinator_factory* coordinators() const noexcept { return coordinators_; }
    /// The options of each factory, each cut to the members that this kit knows; empty where there is no factory.
    const std::vector<chm_option>& executor_schema() const noexcept { return executor_schema_; }
    const std::vector<chm_option>& transport_schema() const noexcept { return transport_schema_; }
    const std::vector<chm_option>& coordinator_schema() const noexcept { return coordinator_schema_; }
    /// Something inside the plugin's file, mapped: where its entry lies.
    const void* address() const noexcept { return entry_; }

  private:
    const chm_plugin_entry* entry_ = nullptr;
    const chm_executor_factory* executors_ = nullptr;
    const chm_transport_factory* transports_ = nullptr;
    const chm_coordinator_factory* coordinators_ = nullptr;
    std::vector<chm_option> executor_schema_, transport_schema_, coordinator_schema_;
};

/// Options as a chm_config: every key of the schema, with the given value or its default.
class config {
  public:
    /// Throws std::runtime_error for a key that the schema does not have.
    config(const std::vector<chm_option>& schema, const std::map<std::string, std::string>& given);
    config(const config&) = delete;
    config& operator=(const config&) = delete;
    const chm_config* abi() const noexcept { return &abi_; }

  private:
    std::map<std::string, std::string> values_;
    std::vector<chm_kv> kv_;
    chm_config abi_{};
};

} // namespace chimera::conformance
