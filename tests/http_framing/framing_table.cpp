// http_framing_table PLUGIN.so...: each case on each transport, whole and in single bytes, as a table.
// Every exchange has a process of its own, so a plugin that aborts costs one cell of the table.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "framing_case.hpp"
#include "played_response.hpp"

using namespace chimera::http_framing;

namespace {

struct cell {
    std::string text;
    bool right = false;
    bool aborted = false;
};

struct tally {
    std::string plugin;
    int right = 0, wrong = 0, aborted = 0, differing = 0;
};

/// Runs in the child: writes "+" or "-" (right or wrong) and a text.
void write_cell(int to, const transport_plugin& plugin, const framing_case& c, bool in_bytes) {
    std::string text;
    try {
        stepped_server server;
        transport_client client(plugin, server.url());
        const outcome seen = play(client, server,
                                  {.bytes = c.bytes,
                                   .cuts = in_bytes ? every_byte(c.bytes) : std::vector<std::size_t>{},
                                   .end = c.closes ? ending::close : ending::open,
                                   .head_request = c.head_request,
                                   .patience = std::chrono::milliseconds(300)});
        const bool right = c.difference(seen, plugin.id()).empty();
        const std::string next = afterwards(client, server);
        text = (right && next.empty() ? "+" : "-") + seen.result() + " " +
               (seen.rc < 0 ? seen.message.substr(seen.message.find(": ") + 2) : shown(seen.body));
        if (!seen.fault.empty()) text += "; " + seen.fault;
        if (!next.empty()) text += "; " + next;
    } catch (const std::exception& e) {
        text = std::string("-") + e.what();
    }
    for (char& c2 : text)
        if (c2 == '\n' || c2 == '\r') c2 = ' ';
    if (::write(to, text.data(), text.size()) < 0) ::_exit(1);
}

cell run(const transport_plugin& plugin, const framing_case& c, bool in_bytes) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe failed");
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        if (!std::freopen("/dev/null", "w", stderr)) ::_exit(1);
        ::alarm(30); // a plugin that does not come back
        write_cell(ends[1], plugin, c, in_bytes);
        ::_exit(0);
    }
    ::close(ends[1]);
    std::string text;
    char block[4096];
    for (ssize_t n = 0; (n = ::read(ends[0], block, sizeof block)) > 0;)
        text.append(block, static_cast<std::size_t>(n));
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) return {std::string("killed: ") + ::strsignal(WTERMSIG(status)), false, true};
    if (text.empty()) return {"exited with " + std::to_string(WEXITSTATUS(status)), false, false};
    return {text.substr(1), text[0] == '+', false};
}

} // namespace

int main(int argc, char** argv) {
    try {
        std::signal(SIGPIPE, SIG_IGN);
        const std::vector<framing_case> cases = read_cases(CHIMERA_FRAMING_CASES);
        std::vector<tally> tallies;
        for (int i = 1; i < argc; ++i) {
            const transport_plugin plugin(argv[i]);
            tally& t = tallies.emplace_back(std::string(plugin.id()));
            std::printf("%s\n\n", argv[i]);
            for (const framing_case& c : cases) {
                const cell whole = run(plugin, c, false), bytes = run(plugin, c, true);
                ++(whole.right && bytes.right ? t.right : t.wrong);
                t.aborted += whole.aborted || bytes.aborted;
                t.differing += whole.text != bytes.text;
                const expectation& want = c.expected_on(plugin.id());
                std::printf("%-5s %-44s wanted %s%s\n", whole.right && bytes.right ? "right" : "WRONG", c.name.c_str(),
                            want.result.c_str(), want.body ? (" " + shown(*want.body)).c_str() : "");
                std::printf("      whole  %s\n", whole.text.c_str());
                if (bytes.text != whole.text) std::printf("      bytes  %s\n", bytes.text.c_str());
            }
            std::printf("\n");
        }
        for (const tally& t : tallies)
            std::printf(
                "%s: %zu cases, %d right, %d wrong (%d ended the process), %d not the same whole and in bytes\n",
                t.plugin.c_str(), cases.size(), t.right, t.wrong, t.aborted, t.differing);
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "http_framing_table: %s\n", e.what());
        return 1;
    }
}
