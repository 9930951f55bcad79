#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <sys/resource.h>

#include "process/messages.hpp"

#include "options.hpp"
#include "server.hpp"

namespace {

using chimera::host::say;
using chimera::host::with_limit;

constexpr int exit_set_up_failed = 3;

void raise_file_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/// False where it cannot be written.
bool print(std::string_view text) {
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

int cannot_print() {
    say(fmt::format("chimera-sim: standard output cannot be written: {}", std::strerror(errno)));
    return exit_set_up_failed;
}

} // namespace

int main(int argc, char** argv) {
    chimera::host::open_standard_streams();
    const auto parsed = chimera::sim::parse_options(argc, argv);
    if (const auto* early = std::get_if<chimera::sim::early_exit>(&parsed)) {
        if (early->status == 0 && !print(early->text)) return cannot_print();
        if (early->status != 0)
            say(early->text.ends_with('\n') ? early->text.substr(0, early->text.size() - 1) : early->text);
        return early->status;
    }
    const auto& options = std::get<chimera::sim::options>(parsed);
    raise_file_limit();
    try {
        chimera::sim::server server(options);
        if (!print(fmt::format("listening {}\n", server.url()))) return cannot_print();
        server.run();
        if (!options.quiet) {
            say("chimera-sim: ended");
        }
    } catch (const std::exception& error) {
        say(with_limit(fmt::format("chimera-sim: {}", error.what())));
        return exit_set_up_failed;
    }
    return 0;
}
