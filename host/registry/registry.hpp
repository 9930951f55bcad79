#pragma once
#include "profile/option_value.hpp"
#include "profile/plugin_kind.hpp"
#include <chimera/abi/executor.h>
#include <chimera/abi/transport.h>
#include <filesystem>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

/// Finds plugins, checks them before any of their code runs, loads them and makes instances.
namespace chimera::host {

/// A plugin is not usable, or refused to make an instance. what() names the plugin or its file, what was found, what
/// was expected and what to do. rc(): the plugin's own code where it failed itself, otherwise CHM_E_FAIL.
class plugin_error : public std::runtime_error {
  public:
    plugin_error(const std::string& text, chm_rc rc) : std::runtime_error(text), rc_(rc) {}
    chm_rc rc() const { return rc_; }

  private:
    chm_rc rc_;
};

struct plugin_host;

/// A loaded and initialized plugin. Its code stays mapped until the process ends. deinit is called when the registry
/// and all instances are gone.
class plugin {
  public:
    ~plugin();
    plugin(const plugin&) = delete;
    plugin& operator=(const plugin&) = delete;

    const std::filesystem::path& path() const { return path_; } ///< absolute, links resolved
    const chm_plugin_entry& entry() const { return *entry_; }
    bool offers(plugin_kind) const;
    /// The option schema of one kind; empty where it is not offered. Alive until the process ends.
    std::span<const chm_option> options(plugin_kind) const;

  private:
    friend class registry;
    plugin(std::filesystem::path, const chm_plugin_entry&);

    std::filesystem::path path_;
    const chm_plugin_entry* entry_;
    std::unique_ptr<plugin_host> host_;
    const chm_executor_factory* executor_ = nullptr;
    const chm_transport_factory* transport_ = nullptr;
    std::span<const chm_option> executor_options_, transport_options_;
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
using executor_ptr = std::unique_ptr<chm_executor, executor_destroy>;
using transport_ptr = std::unique_ptr<chm_transport, transport_destroy>;

/// One line of `chimera-host plugins`. A file that cannot be used is listed too, with the reason.
struct plugin_listing {
    struct factory {
        plugin_kind kind;
        std::span<const chm_option> options;
    };
    std::string id; ///< the plugin's own; the file's stem where it could not be loaded
    std::string version, description;
    std::filesystem::path path;
    std::vector<factory> factories;
    std::filesystem::path shadowed_by; ///< not empty: the file that is found first under this id
    std::string error;                 ///< not empty: why it cannot be used
};

/// Where plugins are looked for, in this order: the folders of CHIMERA_PLUGIN_PATH (separated by ':'), ../lib/chimera
/// beside the running program's folder, the installation's own folder. Folders need not exist.
std::vector<std::filesystem::path> default_plugin_path();

struct registry_settings {
    std::vector<std::filesystem::path> search = default_plugin_path();
    bool allow_untrusted = false; ///< also load files that others may write or own
};

/// One per process: a plugin is initialized once for each registry that loads it. Thread: the main thread, except that
/// instances may be created and destroyed where the contract allows it.
class registry {
  public:
    explicit registry(registry_settings = {});
    ~registry();
    registry(const registry&) = delete;
    registry& operator=(const registry&) = delete;

    /// The plugin called `name`, loaded at the first call. A name with a '/' or ending in ".so" is a file, relative to
    /// directory, then to the working directory; otherwise an id, and its file `<id>.so` is looked for in directory
    /// (the profile's folder; may be empty), then along the search path. Errors: plugin_error.
    std::shared_ptr<const plugin> load(plugin_kind, const std::string& name,
                                       const std::filesystem::path& directory = {});

    /// A new instance. options: a value for every key of the plugin's schema, as a resolved profile holds them.
    /// Errors: plugin_error.
    executor_ptr create_executor(const std::shared_ptr<const plugin>&, std::span<const option_value> options);
    transport_ptr create_transport(const std::shared_ptr<const plugin>&, std::span<const option_value> options);

    /// Every *.so in directory and along the search path, loaded to see what it is; never throws for a bad file.
    std::vector<plugin_listing> list(const std::filesystem::path& directory = {});

  private:
    std::shared_ptr<const plugin> open(const std::filesystem::path&);
    static std::shared_ptr<const plugin> initialize(const std::filesystem::path&);

    struct state;
    std::unique_ptr<state> state_;
};

} // namespace chimera::host
