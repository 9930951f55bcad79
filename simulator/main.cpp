#include <cerrno>
#include <cstdio>
#include <exception>

#include <fmt/format.h>
#include <sys/resource.h>

#include "options.hpp"
#include "server.hpp"

namespace {

constexpr int exit_set_up_failed = 3;

void raise_file_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

} // namespace

int main(int argc, char** argv) {
    const auto parsed = chimera::sim::parse_options(argc, argv);
    if (const auto* early = std::get_if<chimera::sim::early_exit>(&parsed)) {
        fmt::print(early->status == 0 ? stdout : stderr, "{}", early->text);
        return early->status;
    }
    const auto& options = std::get<chimera::sim::options>(parsed);
    raise_file_limit();
    try {
        chimera::sim::server server(options);
        fmt::print("listening {}\n", server.url());
        std::fflush(stdout);
        server.run();
        if (!options.quiet) {
            fmt::print(stderr, "chimera-sim: ended\n");
        }
    } catch (const std::exception& error) {
        fmt::print(stderr, "chimera-sim: {}\n", error.what());
        return exit_set_up_failed;
    }
    return 0;
}
