#include "provenance/in_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace chimera::host {
namespace {

using words = std::vector<std::string>;

void add(words& out, const std::optional<std::string>& told, std::string_view before = {}) {
    if (told) out.push_back(fmt::format("{}{}", before, *told));
}

std::string joined(const words& parts) { return fmt::format("{}", fmt::join(parts, ", ")); }

std::string in_brackets(const words& parts) { return parts.empty() ? "" : fmt::format(" ({})", joined(parts)); }

std::string in_words(const model_identity& m) {
    words details;
    if (m.digest) details.push_back(short_hash(*m.digest));
    add(details, m.parameter_size);
    add(details, m.quantization);
    return m.name + in_brackets(details);
}

} // namespace

std::string in_words(const machine_identity& m) {
    words out;
    add(out, m.cpu_model);
    if (m.usable_cpus) out.push_back(fmt::format("{} CPU{}", *m.usable_cpus, *m.usable_cpus == 1 ? "" : "s"));
    add(out, m.governor, "governor ");
    constexpr double gib = 1024.0 * 1024 * 1024;
    if (m.memory_bytes) out.push_back(fmt::format("{:.1f} GiB", static_cast<double>(*m.memory_bytes) / gib));
    add(out, m.os);
    add(out, m.kernel, "Linux ");
    add(out, m.libc);
    if (m.hypervisor) out.push_back(*m.hypervisor == "none" ? "no hypervisor" : *m.hypervisor);
    add(out, m.container, "in ");
    return joined(out);
}

std::string in_words(const build_identity& b) {
    words details;
    add(details, b.commit);
    for (const std::string& told : {b.compiler, b.build_type})
        if (!told.empty()) details.push_back(told);
    if (b.version.empty()) return "not told" + in_brackets(details);
    return fmt::format("chimera {}{}", b.version, in_brackets(details));
}

std::string in_words(const plugin_identity& p) {
    return fmt::format("{} {}{}", p.id, p.version, p.sha256 ? in_brackets({short_hash(*p.sha256)}) : "");
}

std::string in_words(const server_identity& s) {
    words out{s.software.value_or(s.version ? "version" : "software not told")};
    if (s.version) out.front() += " " + *s.version;
    for (const model_identity& m : s.models) out.push_back(in_words(m));
    return joined(out);
}

std::string short_hash(std::string_view hash) {
    constexpr std::string_view algorithm = "sha256:";
    constexpr std::size_t shown = 12;
    const std::string_view digits = hash.starts_with(algorithm) ? hash.substr(algorithm.size()) : hash;
    const bool all_digits = digits.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
    return std::string(all_digits ? digits.substr(0, shown) : hash);
}

} // namespace chimera::host
