#include "process/messages.hpp"

#include "process/secrets.hpp"
#include "protocol/excerpt.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

#include <sys/resource.h>

namespace chimera::host {
namespace {

struct resource_limit {
    int error;             ///< which a call gives that met it
    const char* otherwise; ///< of what a library says instead, a part; nullptr: it says the error's text
    __rlimit_resource which;
    rlim_t unit;
    const char* text;
};

constexpr resource_limit limits[] = {
    {EFBIG, nullptr, RLIMIT_FSIZE, 1024, "ulimit -f allows files of {} KB"},
    {EMFILE, nullptr, RLIMIT_NOFILE, 1, "ulimit -n allows {} open files"},
    {ENOMEM, "bad_alloc", RLIMIT_AS, 1024, "ulimit -v allows {} KB of address space"},
    {ENOMEM, "bad_alloc", RLIMIT_DATA, 1024, "ulimit -d allows {} KB of data"},
    // A thread's stack that cannot be mapped is reported so.
    {EAGAIN, nullptr, RLIMIT_AS, 1024, "ulimit -v allows {} KB of address space"},
    {EAGAIN, nullptr, RLIMIT_DATA, 1024, "ulimit -d allows {} KB of data"},
    {EAGAIN, nullptr, RLIMIT_NPROC, 1, "ulimit -u allows this user {} processes and threads"},
};

} // namespace

void say(std::string_view message) {
    const std::string line = printable(redacted(message)) + "\n";
    std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string with_limit(std::string message) {
    std::string found;
    for (const resource_limit& l : limits) {
        rlimit now{};
        const bool met = message.find(std::strerror(l.error)) != std::string::npos ||
                         (l.otherwise != nullptr && message.find(l.otherwise) != std::string::npos);
        if (!met || getrlimit(l.which, &now) != 0 || now.rlim_cur == RLIM_INFINITY) continue;
        if (l.which == RLIMIT_NPROC && !found.empty()) continue; // which every user has
        const std::string allowed = fmt::format(fmt::runtime(l.text), now.rlim_cur / l.unit);
        if (message.find(allowed) != std::string::npos) continue; // a child said it already
        found += (found.empty() ? "" : ", ") + allowed;
    }
    return found.empty() ? std::move(message) : fmt::format("{} ({})", message, found);
}

} // namespace chimera::host
