// Descriptors and threads of the process: the proof that a case or a test leaked none.
#pragma once

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <thread>

namespace chimera::conformance {

/// The descriptors and threads of this process at one moment.
struct census {
    std::map<int, std::string> descriptors; ///< number -> target of the link in /proc/self/fd
    /// Ids and not their number: a joined thread may still be listed for a while, and one that is in the first census
    /// and gone from the second must not make room for one that stayed.
    std::set<int> threads;

    static census take() {
        namespace fs = std::filesystem;
        census now;
        for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
            std::error_code gone; // the iterator's own descriptor is listed, and closed by the time it is read again
            const std::string target = fs::read_symlink(entry.path(), gone).string();
            if (gone || target.starts_with("/proc/")) continue;
            now.descriptors.emplace(std::stoi(entry.path().filename().string()), target);
        }
        for (const auto& entry : fs::directory_iterator("/proc/self/task"))
            now.threads.insert(std::stoi(entry.path().filename().string()));
        return now;
    }

    /// How many threads there are in `after` that were not in this one.
    std::size_t new_threads(const census& after) const {
        return static_cast<std::size_t>(
            std::ranges::count_if(after.threads, [&](int id) { return !threads.contains(id); }));
    }

    /// The descriptors and threads of `after` that are not in this one; empty: none.
    std::string left_over(const census& after) const {
        std::string text;
        for (const auto& [number, target] : after.descriptors)
            if (!descriptors.contains(number)) text += " fd " + std::to_string(number) + " (" + target + ")";
        if (const std::size_t n = new_threads(after)) text += " " + std::to_string(n) + " thread(s)";
        return text.empty() ? text : text.substr(1);
    }

    /// The same for now, as soon as it is empty, or after `patience`: a joined thread stays listed for a moment,
    /// and a peer's end of a connection is closed by the peer's own thread.
    std::string left_over_after(std::chrono::milliseconds patience) const {
        const auto limit = std::chrono::steady_clock::now() + patience;
        for (;;) {
            const std::string left = left_over(take());
            if (left.empty() || std::chrono::steady_clock::now() > limit) return left;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }
};

/// To be called before the first census: a sanitizer brings a thread of its own with the first that a program starts.
inline void start_first_thread() {
    std::thread([] {}).join();
}

} // namespace chimera::conformance
