#include "plugin_file.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "chimera/sdk/error.hpp"
#include "chimera/sdk/text.hpp"

namespace chimera::conformance {

namespace {

/// A byte of a plugin's message may act on the terminal that shows it.
void print_shown(std::string_view bytes) noexcept {
    for (const char c : bytes)
        if (c >= ' ' && c <= '~')
            std::fputc(c, stderr);
        else
            std::fprintf(stderr, "\\x%02x", static_cast<unsigned char>(c));
}

} // namespace

const chm_host* kit_host(bool verbose) noexcept {
    static constexpr auto speak = [](const chm_host*, std::int32_t level, chm_str message) noexcept {
        ::flockfile(stderr);
        std::fprintf(stderr, "log[%d] ", level);
        print_shown({message.ptr, message.len});
        std::fputc('\n', stderr);
        ::funlockfile(stderr);
    };
    static constexpr auto hush = [](const chm_host*, std::int32_t, chm_str) noexcept {};
    static constexpr auto no_extension = [](const chm_host*, const char*) noexcept -> const void* { return nullptr; };
    static const chm_host loud{sizeof(chm_host), speak, no_extension};
    static const chm_host quiet{sizeof(chm_host), hush, no_extension};
    return verbose ? &loud : &quiet;
}

bool is_snake_case(std::string_view s) noexcept {
    if (s.empty() || s.front() < 'a' || s.front() > 'z') return false;
    return std::all_of(s.begin(), s.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

namespace {

/// Reads a table whose rows may be of another minor than this kit's: the first row's size is the distance between rows.
template <class Factory>
std::vector<chm_option> read_schema(const Factory* f) {
    std::vector<chm_option> schema;
    if (!f || !f->options || f->n_options == 0) return schema;
    const auto* row = reinterpret_cast<const char*>(f->options);
    const std::size_t said = f->options->size; // options.schema_valid reports one that cannot be
    const std::size_t stride = said < least_option_size ? sizeof(chm_option) : said;
    for (std::uint32_t i = 0; i < f->n_options; ++i, row += stride)
        std::memcpy(&schema.emplace_back(), row, std::min(stride, sizeof(chm_option)));
    return schema;
}

} // namespace

plugin_file::plugin_file(const std::filesystem::path& path, const chm_host* host,
                         const std::function<std::filesystem::path(const std::filesystem::path&)>& loadable) {
    const std::string name = path.string();
    const auto reject = [&](const std::string& why) { throw std::runtime_error(name + ": " + why); };
    const std::string loaded = (loadable ? loadable(path) : std::filesystem::absolute(path)).string();
    void* library = dlopen(loaded.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        std::string why = dlerror();
        if (const auto at = why.find(loaded); at != std::string::npos) why.replace(at, loaded.size(), name);
        reject("cannot be loaded: " + why);
    }
    entry_ = static_cast<const chm_plugin_entry*>(dlsym(library, CHM_ENTRY_SYMBOL));
    if (!entry_) reject("does not export " CHM_ENTRY_SYMBOL);
    constexpr std::size_t least = offsetof(chm_plugin_entry, get_factory) + sizeof(entry_->get_factory); // what 1.0 has
    if (entry_->size < least) reject("its entry is " + std::to_string(entry_->size) + " bytes small");
    if (entry_->abi_major != CHM_ABI_MAJOR) reject("is for contract " + std::to_string(entry_->abi_major));
    if (!entry_->id || !entry_->get_factory) reject("its entry lacks id or get_factory");
    if (entry_->init) {
        sdk::error_buffer err;
        if (const chm_rc rc = entry_->init(host, err.abi()); rc != CHM_OK)
            reject("init failed with " + std::to_string(rc) + ": " + std::string(err.text()));
    }
    executors_ = static_cast<const chm_executor_factory*>(entry_->get_factory(CHM_FACTORY_EXECUTOR));
    transports_ = static_cast<const chm_transport_factory*>(entry_->get_factory(CHM_FACTORY_TRANSPORT));
    executor_schema_ = read_schema(executors_);
    transport_schema_ = read_schema(transports_);
}

plugin_file::~plugin_file() {
    if (entry_->deinit) entry_->deinit();
}

config::config(const std::vector<chm_option>& schema, const std::map<std::string, std::string>& given) {
    for (const chm_option& o : schema)
        if (o.name && o.default_value) values_[o.name] = o.default_value; // options.schema_valid reports the others
    for (const auto& [key, value] : given) {
        if (!values_.contains(key)) throw std::runtime_error("the plugin has no option '" + key + "'");
        values_[key] = value;
    }
    for (const auto& [key, value] : values_) kv_.push_back({sdk::str(key), sdk::str(value)});
    abi_ = {kv_.data(), kv_.size()};
}

} // namespace chimera::conformance
