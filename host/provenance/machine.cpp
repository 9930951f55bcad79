#include "provenance/collect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string_view>
#include <utility>

#include <gnu/libc-version.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

namespace chimera::host {
namespace {

namespace fs = std::filesystem;
using text = std::optional<std::string>;

/// The first line of a file, without the blanks around it; nothing where it is empty or cannot be read.
text first_line(const fs::path& file) {
    std::string line;
    std::getline(std::ifstream(file), line);
    line.erase(0, line.find_first_not_of(" \t"));
    line.erase(line.find_last_not_of(" \t\r\n") + 1); // npos + 1 is 0: nothing is left of a line of blanks
    return line.empty() ? std::nullopt : text(line);
}

/// The value of the first line "key : value" of a file such as /proc/cpuinfo.
text value_of(const fs::path& file, std::string_view key) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos || !line.starts_with(key) || line.find_first_not_of(" \t", key.size()) != colon)
            continue;
        const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
        return begin == std::string::npos ? std::nullopt : text(line.substr(begin));
    }
    return std::nullopt;
}

std::optional<cpu_set_t> affinity() {
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) == 0 ? std::optional(set) : std::nullopt;
}

text governor(const fs::path& root, const std::optional<cpu_set_t>& usable) {
    text all;
    for (std::size_t cpu = 0; usable && cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &*usable)) continue;
        const text one = first_line(root / fmt::format("sys/devices/system/cpu/cpu{}/cpufreq/scaling_governor", cpu));
        if (!one) continue;
        if (all && *all != *one) return "mixed";
        all = one;
    }
    return all;
}

/// The name that the hypervisor tells by the CPUID leaf that is reserved for it; "none" where the CPU is not virtual.
text hypervisor_of_cpu(const fs::path& root) {
#if defined(__x86_64__) || defined(__i386__)
    const text flags = value_of(root / "proc/cpuinfo", "flags");
    if (!flags) return std::nullopt;
    if ((' ' + *flags + ' ').find(" hypervisor ") == std::string::npos) return "none";
    std::array<unsigned, 4> words{};
    __cpuid(0x40000000, words[0], words[1], words[2], words[3]);
    std::string signature;
    for (std::size_t i = 1; i < words.size(); ++i)
        for (unsigned shift = 0; shift < 32; shift += 8)
            if (const char c = static_cast<char>((words[i] >> shift) & 0xFFU); c > ' ' && c < 0x7F) signature += c;
    constexpr std::array<std::pair<std::string_view, std::string_view>, 7> known{{{"KVMKVMKVM", "KVM"},
                                                                                  {"MicrosoftHv", "Hyper-V"},
                                                                                  {"VMwareVMware", "VMware"},
                                                                                  {"XenVMMXenVMM", "Xen"},
                                                                                  {"TCGTCGTCGTCG", "QEMU"},
                                                                                  {"bhyvebhyve", "bhyve"},
                                                                                  {"ACRNACRNACRN", "ACRN"}}};
    const auto found = std::ranges::find(known, signature, &std::pair<std::string_view, std::string_view>::first);
    if (found != known.end()) return std::string(found->second);
    return signature.empty() ? "unknown" : signature;
#else
    return first_line(root / "sys/hypervisor/type");
#endif
}

/// "KVM (Amazon EC2 m5.large)": with the machine's maker and product where the firmware names them.
text hypervisor(const fs::path& root) {
    text name = hypervisor_of_cpu(root);
    if (!name || *name == "none") return name;
    const text maker = first_line(root / "sys/class/dmi/id/sys_vendor"),
               product = first_line(root / "sys/class/dmi/id/product_name");
    if (maker && product) return fmt::format("{} ({} {})", *name, *maker, *product);
    if (maker || product) return fmt::format("{} ({})", *name, maker ? *maker : *product);
    return name;
}

text container(const fs::path& root) {
    if (text told = first_line(root / "run/systemd/container")) return told;
    std::error_code ignored;
    if (fs::exists(root / ".dockerenv", ignored)) return "docker";
    if (fs::exists(root / "run/.containerenv", ignored)) return "podman";
    std::ifstream groups(root / "proc/1/cgroup");
    for (std::string line; std::getline(groups, line);)
        for (const char* name : {"kubepods", "docker", "lxc"})
            if (line.find(name) != std::string::npos) return name;
    return std::nullopt;
}

} // namespace

std::string utc_now() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, sizeof "2025-11-14T09:30:00Z"> out{};
    std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return out.data();
}

machine_identity this_machine(const fs::path& root) {
    machine_identity m;
    m.host_name = first_line(root / "proc/sys/kernel/hostname");
    m.kernel = first_line(root / "proc/sys/kernel/osrelease");
    m.cpu_model = value_of(root / "proc/cpuinfo", "model name");
    const std::optional<cpu_set_t> usable = affinity();
    if (usable) m.usable_cpus = CPU_COUNT(&*usable);
    m.governor = governor(root, usable);
    if (const text memory = value_of(root / "proc/meminfo", "MemTotal"))
        m.memory_bytes = std::strtoull(memory->c_str(), nullptr, 10) * 1024; // "8047892 kB"
    m.libc = fmt::format("glibc {}", gnu_get_libc_version());
    m.hypervisor = hypervisor(root);
    m.container = container(root);
    return m;
}

} // namespace chimera::host
