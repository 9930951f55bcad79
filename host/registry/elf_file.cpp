#include "registry/elf_file.hpp"
#include <algorithm>
#include <array>
#include <cerrno>
#include <chimera/sdk/owned_fd.hpp>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <span>
#include <sys/stat.h>
#include <unistd.h>

namespace chimera::host {

namespace {

/// Reads parts of a file by offset.
class file_bytes {
  public:
    /// Does not own the descriptor.
    explicit file_bytes(int fd) : fd_(fd) {
        struct stat status {};
        if (fstat(fd_, &status) == 0) size_ = static_cast<std::uint64_t>(status.st_size);
    }
    std::uint64_t size() const { return size_; }

    /// n elements at offset; nothing if they do not lie in the file, or are more than a plugin could have.
    template <class Element>
    std::optional<std::vector<Element>> read(std::uint64_t offset, std::uint64_t n) const {
        constexpr std::uint64_t most_bytes = 16 << 20;
        if (offset > size_ || n > std::min(size_ - offset, most_bytes) / sizeof(Element)) return {};
        std::vector<Element> elements(n);
        auto* to = reinterpret_cast<char*>(elements.data());
        for (std::uint64_t done = 0, all = n * sizeof(Element); done < all;) {
            const auto got = pread(fd_, to + done, all - done, static_cast<off_t>(offset + done));
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) return {};
            done += static_cast<std::uint64_t>(got);
        }
        return elements;
    }
    template <class Header>
    std::optional<Header> read_one(std::uint64_t offset) const {
        const auto one = read<Header>(offset, 1);
        return one ? std::optional(one->front()) : std::nullopt;
    }

  private:
    int fd_;
    std::uint64_t size_ = 0;
};

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
    case ET_DYN:
        return "shared library";
    case ET_REL:
        return "object file";
    case ET_EXEC:
        return "program";
    case ET_CORE:
        return "core dump";
    default:
        return fmt::format("ELF file of type {}", type);
    }
}

// Limits on what a hostile file may cost.
constexpr std::uint64_t longest_chain = 4096;
constexpr std::size_t longest_name = 512;

/// The memory that the program headers describe, and the tables that the dynamic segment names in it.
class image {
  public:
    image(const file_bytes& file, std::span<const Elf64_Phdr> segments) : file_(file), segments_(segments) {
        for (const auto& s : segments)
            if (s.p_type == PT_DYNAMIC)
                if (auto all = file.read<Elf64_Dyn>(s.p_offset, s.p_filesz / sizeof(Elf64_Dyn))) dynamic_ = *all;
        const auto end =
            std::find_if(dynamic_.begin(), dynamic_.end(), [](const auto& d) { return d.d_tag == DT_NULL; });
        dynamic_.erase(end, dynamic_.end());
        names_ = at<char>(value(DT_STRTAB), value(DT_STRSZ)).value_or(std::vector<char>());
    }

    std::vector<std::string> needed() const {
        std::vector<std::string> libraries;
        for (const auto& d : dynamic_)
            if (d.d_tag == DT_NEEDED) libraries.push_back(name(d.d_un.d_val));
        return libraries;
    }
    library_names search() const {
        library_names found;
        const auto text = [&](std::uint64_t offset) {
            const auto begin =
                names_.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(offset, names_.size()));
            const auto end = std::find(begin, names_.end(), '\0');
            if (end == names_.end()) found.readable = false;
            return std::string(begin, end);
        };
        for (const auto& d : dynamic_) {
            if (d.d_tag == DT_NEEDED || d.d_tag == DT_AUXILIARY || d.d_tag == DT_FILTER)
                found.names.push_back(text(d.d_un.d_val));
            if (d.d_tag == DT_RUNPATH) found.runpath = text(d.d_un.d_val);
            if (d.d_tag == DT_RPATH) found.rpath = text(d.d_un.d_val);
        }
        return found;
    }
    bool nodelete() const { return (value(DT_FLAGS_1) & DF_1_NODELETE) != 0; }

    std::optional<std::vector<std::string>> exported() const {
        const auto count = symbol_count();
        const auto symbols = count ? at<Elf64_Sym>(value(DT_SYMTAB), *count) : std::nullopt;
        if (!symbols) return {};
        std::vector<std::string> exported;
        for (const auto& s : *symbols) {
            const auto binding = ELF64_ST_BIND(s.st_info), visibility = ELF64_ST_VISIBILITY(s.st_other);
            if (s.st_shndx == SHN_UNDEF || s.st_shndx == SHN_ABS || binding == STB_LOCAL) continue;
            if (visibility == STV_DEFAULT || visibility == STV_PROTECTED) exported.push_back(name(s.st_name));
        }
        std::sort(exported.begin(), exported.end());
        return exported;
    }

  private:
    std::uint64_t value(Elf64_Sxword tag) const {
        for (const auto& d : dynamic_)
            if (d.d_tag == tag) return d.d_un.d_val;
        return 0;
    }

    template <class Element>
    std::optional<std::vector<Element>> at(std::uint64_t address, std::uint64_t n) const {
        for (const auto& s : segments_)
            if (s.p_type == PT_LOAD && address >= s.p_vaddr && address - s.p_vaddr < s.p_filesz) {
                const auto inside = address - s.p_vaddr;
                if (n > (s.p_filesz - inside) / sizeof(Element) || s.p_offset > file_.size()) return {};
                return file_.read<Element>(s.p_offset + inside, n);
            }
        return {};
    }

    /// The number of symbols. Only the hash tables tell it.
    std::optional<std::uint64_t> symbol_count() const {
        if (const auto table = value(DT_GNU_HASH)) { // {buckets, first symbol, Bloom words, shift}, then these three
            const auto header = at<std::uint32_t>(table, 4);
            if (!header) return {};
            const std::uint64_t n_buckets = (*header)[0], first = (*header)[1];
            const auto buckets_at = table + 16 + std::uint64_t{(*header)[2]} * 8;
            const auto buckets = at<std::uint32_t>(buckets_at, n_buckets);
            if (!buckets || buckets->empty()) return {};
            const std::uint64_t last = *std::max_element(buckets->begin(), buckets->end());
            if (last < first) return first;                               // exports nothing
            for (std::uint64_t i = last; i < last + longest_chain; ++i) { // a chain ends with an odd hash
                const auto hash = at<std::uint32_t>(buckets_at + (n_buckets + i - first) * 4, 1);
                if (!hash) return {};
                if ((hash->front() & 1) != 0) return i + 1;
            }
            return {};
        }
        const auto header = at<std::uint32_t>(value(DT_HASH), 2); // {buckets, symbols}
        return header ? std::optional<std::uint64_t>((*header)[1]) : std::nullopt;
    }

    std::string name(std::uint64_t offset) const {
        std::string text;
        for (; offset < names_.size() && names_[offset] != '\0' && text.size() < longest_name; ++offset)
            text += names_[offset] > ' ' && names_[offset] < 127 ? names_[offset] : '?';
        return text;
    }

    const file_bytes& file_;
    std::span<const Elf64_Phdr> segments_;
    std::vector<Elf64_Dyn> dynamic_;
    std::vector<char> names_;
};

} // namespace

elf_file read_elf(int fd) {
    elf_file out;
    const auto stop = [&](std::string fault) {
        out.fault = std::move(fault);
        return out;
    };
    const file_bytes file(fd);
    const sdk::owned_fd program(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    const auto expected = file_bytes(program.get()).read_one<Elf64_Ehdr>(0);
    if (!expected) return stop("cannot be compared with this program (/proc/self/exe is not readable)");
    const auto bits = [](unsigned char word) { return word == ELFCLASS64 ? 64 : 32; };

    const auto ident = file.read_one<std::array<unsigned char, EI_NIDENT>>(0);
    if (!ident || std::memcmp(ident->data(), ELFMAG, SELFMAG) != 0)
        return stop("is not a shared library (it has no ELF header); build it with chimera_add_plugin()");
    out.word_size = fmt::format("{}-bit", bits((*ident)[EI_CLASS]));
    if ((*ident)[EI_DATA] != expected->e_ident[EI_DATA])
        return stop("has the other byte order; build it for this machine");
    if (const auto machine =
            file.read_one<Elf64_Half>(offsetof(Elf64_Ehdr, e_machine))) // the same offset in both sizes
        out.machine = machine_name(*machine);
    if ((*ident)[EI_CLASS] != expected->e_ident[EI_CLASS])
        return stop(fmt::format("is a {}-bit library, expected {} bits; build it for this machine",
                                bits((*ident)[EI_CLASS]), bits(expected->e_ident[EI_CLASS])));
    const auto header = file.read_one<Elf64_Ehdr>(0);
    const auto cut_off = [&](std::uint64_t needed) {
        return stop(fmt::format("is cut off: it has {} bytes and needs at least {}; copy or build it again",
                                file.size(), needed));
    };
    if (!header) return cut_off(sizeof(Elf64_Ehdr));
    out.type = type_name(header->e_type);

    // Rationale: dlopen maps the segments without looking at the file's size, and the first access past its end kills
    // the process.
    const auto segments = file.read<Elf64_Phdr>(header->e_phoff, header->e_phnum);
    if (!segments) return cut_off(header->e_phoff + std::uint64_t{header->e_phnum} * sizeof(Elf64_Phdr));
    const image laid_out(file, *segments);
    out.needed = laid_out.needed();
    out.search = laid_out.search();
    out.nodelete = laid_out.nodelete();
    out.exported = laid_out.exported();
    if (header->e_machine != expected->e_machine)
        return stop(fmt::format("is built for the machine {}, expected {}; build it for this machine", out.machine,
                                machine_name(expected->e_machine)));
    if (header->e_type != ET_DYN)
        return stop(
            fmt::format("is of type \"{}\", expected a shared library; build it with chimera_add_plugin()", out.type));
    for (const auto& s : *segments)
        if (s.p_type == PT_LOAD && (s.p_offset > file.size() || s.p_filesz > file.size() - s.p_offset))
            return cut_off(s.p_offset + s.p_filesz);
    return out;
}

} // namespace chimera::host
