#pragma once
#include "profile/options.hpp"
#include <chimera/abi/coordinator.h>
#include <chimera/abi/executor.h>
#include <chimera/abi/transport.h>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

/// Finds plugins, checks them before any of their code runs, loads them and makes instances.
namespace chimera::host {

/// A plugin is not usable, or refused to make an instance. what() names the plugin or its file, what was found, what
/// was expected and what to do. rc(): the plugin's own code if it reported the fault, otherwise CHM_E_FAIL.
class plugin_error : public std::runtime_error {
  public:
    plugin_error(const std::string& text, chm_rc rc) : std::runtime_error(text), rc_(rc) {}
    chm_rc rc() const { return rc_; }

  private:
    chm_rc rc_;
};

struct plugin_host;
class checked_file;

/// A loaded and initialized plugin. Its code stays mapped until the process ends. deinit is called after the registry
/// and all instances are destroyed.
class plugin {
  public:
    ~plugin();
    plugin(const plugin&) = delete;
    plugin& operator=(const plugin&) = delete;

    const std::filesystem::path& path() const; ///< absolute, links resolved
    /// The file that it was loaded from, still open.
    const checked_file& file() const { return *file_; }
    const chm_plugin_entry& entry() const { return *entry_; }
    bool offers(plugin_kind) const;
    /// The option schema of one kind; empty if the plugin does not offer it. Alive until the process ends.
    std::span<const chm_option> options(plugin_kind) const;

  private:
    friend class registry;
    friend std::shared_ptr<const plugin> initialize_plugin(const std::shared_ptr<const checked_file>&,
                                                           const chm_plugin_entry&,
                                                           const std::function<void(const char*)>&);
    plugin(std::shared_ptr<const checked_file>, const chm_plugin_entry&);

    std::shared_ptr<const checked_file> file_;
    const chm_plugin_entry* entry_;
    std::unique_ptr<plugin_host> host_;
    const chm_executor_factory* executor_ = nullptr;
    const chm_transport_factory* transport_ = nullptr;
    const chm_coordinator_factory* coordinator_ = nullptr;
    std::span<const chm_option> executor_options_, transport_options_, coordinator_options_;
    bool initialized_ = false;
};

/// Destroys an instance, then lets go of its plugin.
struct executor_destroy {
    std::shared_ptr<const plugin> from;
    void operator()(chm_executor*) const;
};
struct transport_destroy {
    std::shared_ptr<const plugin> from;
    void operator()(chm_transport*) const;
};
struct coordinator_destroy {
    std::shared_ptr<const plugin> from;
    void operator()(chm_coordinator*) const;
};
using executor_ptr = std::unique_ptr<chm_executor, executor_destroy>;
using transport_ptr = std::unique_ptr<chm_transport, transport_destroy>;
using coordinator_ptr = std::unique_ptr<chm_coordinator, coordinator_destroy>;

struct plugin_listing;

/// The folders of CHIMERA_PLUGIN_PATH, separated by ':'. They need not exist. None if the system started the process
/// with more rights than its caller has.
std::vector<std::filesystem::path> plugin_path_of_environment();

/// The folders of the host's own plugins: ../lib/chimera beside the running program's folder, then the installation's.
std::vector<std::filesystem::path> own_plugin_path();

struct registry_settings {
    std::vector<std::filesystem::path> search =
        plugin_path_of_environment();                           ///< two files of one name here are an error
    std::vector<std::filesystem::path> own = own_plugin_path(); ///< searched after those; the first file wins
    bool allow_untrusted = false;                               ///< also load files that others can write or own
    std::chrono::milliseconds trial_limit{5000};                ///< for loading and initializing a plugin
};

/// One per process, because every registry initializes the plugins that it loads. Thread: the main thread; instances
/// may also be created and destroyed where the contract allows it.
class registry {
  public:
    explicit registry(registry_settings = {});
    ~registry();
    registry(const registry&) = delete;
    registry& operator=(const registry&) = delete;

    /// The plugin called `name`, loaded at the first call. A name with a '/' or ending in ".so" is a file, relative to
    /// directory or else to the working directory. Any other name is an id: its file `<id>.so` is searched in directory
    /// (the profile's folder; may be empty), then along the search path. The plugin is first tried in a child process
    /// (see try_plugins), so no other thread may run yet. Errors: plugin_error.
    std::shared_ptr<const plugin> load(plugin_kind, const std::string& name,
                                       const std::filesystem::path& directory = {});

    /// [no other thread running] Tries the plugins of coming load() calls in one child process, because each child
    /// costs a millisecond. Faults are reported by load().
    void try_ahead(std::span<const std::string> names, const std::filesystem::path& directory = {});

    /// The file that load() would load for this name. Errors: plugin_error.
    std::filesystem::path locate(const std::string& name, const std::filesystem::path& directory = {}) const;
    /// The same, after all checks that need none of its code. Errors: plugin_error.
    std::shared_ptr<const checked_file> find(const std::string& name,
                                             const std::filesystem::path& directory = {}) const;

    /// A new instance. options: a value for every key of the plugin's schema, as in a resolved profile.
    /// Errors: plugin_error.
    static executor_ptr create_executor(const std::shared_ptr<const plugin>&, std::span<const option_value> options);
    static transport_ptr create_transport(const std::shared_ptr<const plugin>&, std::span<const option_value> options);
    static coordinator_ptr create_coordinator(const std::shared_ptr<const plugin>&,
                                              std::span<const option_value> options);

    /// Every *.so in directory and along the search path. Each is tried in a child process, none is loaded here. A bad
    /// file is listed with its fault; nothing is thrown.
    std::vector<plugin_listing> list(const std::filesystem::path& directory = {}) const;

  private:
    std::shared_ptr<const plugin> open(const std::filesystem::path&);
    std::shared_ptr<const checked_file> checked(const std::filesystem::path&) const;

    struct state;
    std::unique_ptr<state> state_;
};

} // namespace chimera::host
