#include "loaded_file.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <algorithm>
#include <stdexcept>

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

} // namespace chimera::conformance
