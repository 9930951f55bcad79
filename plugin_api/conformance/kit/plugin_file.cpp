#include "plugin_file.hpp"

#include <dlfcn.h>

#include <cstdio>
#include <stdexcept>

#include "chimera/sdk/error.hpp"
#include "chimera/sdk/text.hpp"

namespace chimera::conformance {

const chm_host* kit_host(bool verbose) noexcept {
    static constexpr auto speak = [](const chm_host*, std::int32_t level, chm_str message) noexcept {
        std::fprintf(stderr, "log[%d] %.*s\n", level, static_cast<int>(message.len), message.ptr);
    };
    static constexpr auto hush = [](const chm_host*, std::int32_t, chm_str) noexcept {};
    static constexpr auto no_extension = [](const chm_host*, const char*) noexcept -> const void* { return nullptr; };
    static const chm_host loud{sizeof(chm_host), speak, no_extension};
    static const chm_host quiet{sizeof(chm_host), hush, no_extension};
    return verbose ? &loud : &quiet;
}

plugin_file::plugin_file(const std::filesystem::path& path, const chm_host* host) {
    const std::string name = path.string();
    const auto reject = [&](const std::string& why) { throw std::runtime_error(name + ": " + why); };
    void* library = dlopen(std::filesystem::absolute(path).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) reject(std::string("cannot be loaded: ") + dlerror());
    entry_ = static_cast<const chm_plugin_entry*>(dlsym(library, CHM_ENTRY_SYMBOL));
    if (!entry_) reject("does not export " CHM_ENTRY_SYMBOL);
    if (entry_->size < sizeof(chm_plugin_entry))
        reject("its entry is " + std::to_string(entry_->size) + " bytes small");
    if (entry_->abi_major != CHM_ABI_MAJOR) reject("is for contract " + std::to_string(entry_->abi_major));
    if (!entry_->id || !entry_->get_factory) reject("its entry lacks id or get_factory");
    if (entry_->init) {
        sdk::error_buffer err;
        if (const chm_rc rc = entry_->init(host, err.abi()); rc < 0)
            reject("init failed with " + std::to_string(rc) + ": " + std::string(err.text()));
    }
    executors_ = static_cast<const chm_executor_factory*>(entry_->get_factory(CHM_FACTORY_EXECUTOR));
    transports_ = static_cast<const chm_transport_factory*>(entry_->get_factory(CHM_FACTORY_TRANSPORT));
}

plugin_file::~plugin_file() {
    if (entry_->deinit) entry_->deinit();
}

config::config(const chm_option* schema, std::size_t n, const std::map<std::string, std::string>& given) {
    for (std::size_t i = 0; i < n; ++i) values_[schema[i].name] = schema[i].default_value;
    for (const auto& [key, value] : given) {
        if (!values_.contains(key)) throw std::runtime_error("the plugin has no option '" + key + "'");
        values_[key] = value;
    }
    for (const auto& [key, value] : values_) kv_.push_back({sdk::str(key), sdk::str(value)});
    abi_ = {kv_.data(), kv_.size()};
}

} // namespace chimera::conformance
