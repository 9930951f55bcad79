#include "registry/plugin_file.hpp"
#include <algorithm>
#include <array>
#include <cstring>
#include <elf.h>
#include <fmt/format.h>
#include <fstream>

namespace chimera::host {

namespace {

namespace fs = std::filesystem;

template <class Header>
bool read_at(std::ifstream& in, std::uint64_t offset, Header* out) {
    std::array<char, sizeof(Header)> bytes;
    in.clear();
    in.seekg(static_cast<std::streamoff>(offset));
    if (!in.read(bytes.data(), bytes.size())) return false;
    std::memcpy(out, bytes.data(), bytes.size());
    return true;
}

std::string machine_name(unsigned machine) {
    switch (machine) {
    case EM_386:
        return "x86";
    case EM_X86_64:
        return "x86-64";
    case EM_ARM:
        return "ARM";
    case EM_AARCH64:
        return "AArch64";
    case EM_RISCV:
        return "RISC-V";
    default:
        return fmt::format("number {}", machine);
    }
}

std::string type_name(unsigned type) {
    switch (type) {
    case ET_REL:
        return "an object file that is not linked yet";
    case ET_EXEC:
        return "a program";
    case ET_CORE:
        return "a core dump";
    default:
        return fmt::format("an ELF file of type {}", type);
    }
}

/// Rationale: dlopen maps what a program header names without looking at the file's size, and the first access past its
/// end kills the process.
std::string truncation(std::ifstream& in, const Elf64_Ehdr& header, std::uint64_t size) {
    const auto cut = [&](std::uint64_t needed) {
        return fmt::format("is cut off: it has {} bytes and needs at least {}; copy or build it again", size, needed);
    };
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        const auto offset = header.e_phoff + std::uint64_t{i} * sizeof(Elf64_Phdr);
        Elf64_Phdr segment;
        if (offset > size || !read_at(in, offset, &segment)) return cut(offset + sizeof(Elf64_Phdr));
        if (segment.p_type == PT_LOAD && (segment.p_offset > size || segment.p_filesz > size - segment.p_offset))
            return cut(segment.p_offset + segment.p_filesz);
    }
    return {};
}

} // namespace

std::string elf_fault(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return "cannot be read; check its permissions";
    std::ifstream own("/proc/self/exe", std::ios::binary);
    Elf64_Ehdr expected;
    if (!own || !read_at(own, 0, &expected))
        return "cannot be compared with this program (/proc/self/exe is not readable)";

    std::array<unsigned char, EI_NIDENT> ident{};
    if (!read_at(in, 0, &ident) || std::memcmp(ident.data(), ELFMAG, SELFMAG) != 0)
        return "is no shared library (it does not begin as an ELF file); build it with chimera_add_plugin()";
    if (ident[EI_CLASS] != expected.e_ident[EI_CLASS])
        return fmt::format("is a {}-bit library, expected {} bits; build it for this machine",
                           ident[EI_CLASS] == ELFCLASS64 ? 64 : 32, expected.e_ident[EI_CLASS] == ELFCLASS64 ? 64 : 32);
    if (ident[EI_DATA] != expected.e_ident[EI_DATA]) return "has the other byte order; build it for this machine";
    Elf64_Ehdr header;
    const auto size = static_cast<std::uint64_t>(fs::file_size(path));
    if (!read_at(in, 0, &header))
        return fmt::format("is cut off: it has {} bytes, less than an ELF header; copy or build it again", size);
    if (header.e_machine != expected.e_machine)
        return fmt::format("is built for the machine {}, expected {}; build it for this machine",
                           machine_name(header.e_machine), machine_name(expected.e_machine));
    if (header.e_type != ET_DYN)
        return fmt::format("is {}, expected a shared library; build it with chimera_add_plugin()",
                           type_name(header.e_type));
    return truncation(in, header, size);
}

} // namespace chimera::host
