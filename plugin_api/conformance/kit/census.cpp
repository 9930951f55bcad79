#include "census.hpp"

#include <malloc.h>

#include <charconv>
#include <filesystem>
#include <set>

#include "scale.hpp"

namespace chimera::conformance {

namespace fs = std::filesystem;

census census::take() {
    census now;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code gone; // the iterator's own descriptor is listed, and closed by the time it is read again
        const std::string target = fs::read_symlink(entry.path(), gone).string();
        if (gone || target.starts_with("/proc/")) continue;
        now.descriptors.emplace(std::stoi(entry.path().filename().string()), target);
    }
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/task")) ++now.threads;
    return now;
}

std::string census::left_over(const census& after) const {
    std::string text;
    for (const auto& [number, target] : after.descriptors)
        if (!descriptors.contains(number)) text += " fd " + std::to_string(number) + " (" + target + ")";
    if (after.threads > threads) text += " " + std::to_string(after.threads - threads) + " thread(s)";
    return text.empty() ? text : text.substr(1);
}

std::size_t heap_bytes() noexcept {
    if constexpr (sanitized) return 0;
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

} // namespace chimera::conformance
