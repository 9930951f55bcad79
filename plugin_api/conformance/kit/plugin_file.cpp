#include "plugin_file.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <elf.h>
#include <link.h>
#include <stdexcept>

#include "chimera/sdk/error.hpp"
#include "chimera/sdk/text.hpp"
#include "expect.hpp"

namespace chimera::conformance {

namespace {

/// The number of dynamic symbols, which only the hash table tells: one more than the last index that a chain holds.
std::size_t symbol_count(const std::uint32_t* gnu_hash) {
    const std::uint32_t buckets = gnu_hash[0], first = gnu_hash[1], bloom_words = gnu_hash[2];
    const auto* bucket =
        reinterpret_cast<const std::uint32_t*>(reinterpret_cast<const ElfW(Addr)*>(gnu_hash + 4) + bloom_words);
    const std::uint32_t* chain = bucket + buckets;
    std::uint32_t last = *std::max_element(bucket, bucket + buckets);
    if (last < first) return first; // nothing is exported
    while ((chain[last - first] & 1U) == 0) ++last;
    return last + 1U;
}

int note_stack(dl_phdr_info* info, std::size_t, void* found) {
    auto& [base, executable] = *static_cast<std::pair<ElfW(Addr), bool>*>(found);
    if (info->dlpi_addr != base) return 0;
    for (const ElfW(Phdr)* p = info->dlpi_phdr; p != info->dlpi_phdr + info->dlpi_phnum; ++p)
        if (p->p_type == PT_GNU_STACK) executable = (p->p_flags & PF_X) != 0;
    return 1;
}

/// A byte of a plugin's message may act on the terminal that shows it.
void print_shown(std::string_view bytes) noexcept {
    for (const char c : bytes)
        if (c >= ' ' && c <= '~')
            std::fputc(c, stderr);
        else
            std::fprintf(stderr, "\\x%02x", static_cast<unsigned char>(c));
}

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

loaded_file loaded_file::at(const void* address) {
    Dl_info info{};
    link_map* map = nullptr;
    if (::dladdr1(address, &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) == 0 || !map)
        throw std::runtime_error("no file is mapped there");
    loaded_file file;
    const ElfW(Sym)* symbols = nullptr;
    const char* names = nullptr;
    const std::uint32_t* hash = nullptr;
    for (const ElfW(Dyn)* d = map->l_ld; d->d_tag != DT_NULL; ++d) {
        const auto* pointed = reinterpret_cast<const void*>(d->d_un.d_ptr); // the loader has made it an address
        switch (d->d_tag) {
        case DT_SYMTAB:
            symbols = static_cast<const ElfW(Sym)*>(pointed);
            break;
        case DT_STRTAB:
            names = static_cast<const char*>(pointed);
            break;
        case DT_GNU_HASH:
            hash = static_cast<const std::uint32_t*>(pointed);
            break;
        case DT_TEXTREL:
            file.text_relocations = true;
            break;
        case DT_FLAGS:
            file.text_relocations |= (d->d_un.d_val & DF_TEXTREL) != 0;
            break;
        case DT_FLAGS_1:
            file.no_delete = (d->d_un.d_val & DF_1_NODELETE) != 0;
            break;
        default:
            break;
        }
    }
    std::pair<ElfW(Addr), bool> stack{map->l_addr, false};
    ::dl_iterate_phdr(note_stack, &stack);
    file.executable_stack = stack.second;
    if (symbols && names && hash)
        for (std::size_t i = 1, n = symbol_count(hash); i < n; ++i)
            if (symbols[i].st_shndx != SHN_UNDEF) file.exported.emplace_back(names + symbols[i].st_name);
    std::sort(file.exported.begin(), file.exported.end());
    return file;
}

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
    constexpr std::size_t least = offsetof(chm_plugin_entry, get_factory) + sizeof(entry_->get_factory); // as in 1.0
    if (entry_->size < least) reject("its entry is " + std::to_string(entry_->size) + " bytes small");
    if (entry_->abi_major != CHM_ABI_MAJOR) reject("is for contract " + std::to_string(entry_->abi_major));
    if (!entry_->id || !entry_->get_factory) reject("its entry lacks id or get_factory");
    if (entry_->init) {
        sdk::error_buffer err;
        if (const chm_rc rc = entry_->init(host, err.abi()); rc != CHM_OK)
            reject("init failed with " + code_name(rc) + ": " + std::string(err.text()));
    }
    executors_ = static_cast<const chm_executor_factory*>(entry_->get_factory(CHM_FACTORY_EXECUTOR));
    transports_ = static_cast<const chm_transport_factory*>(entry_->get_factory(CHM_FACTORY_TRANSPORT));
    coordinators_ = static_cast<const chm_coordinator_factory*>(entry_->get_factory(CHM_FACTORY_COORDINATOR));
    executor_schema_ = read_schema(executors_);
    transport_schema_ = read_schema(transports_);
    coordinator_schema_ = read_schema(coordinators_);
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
