// chimera-conformance: tries to break the contract's rules on one plugin. See --help.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

#include "run.hpp"

namespace cf = chimera::conformance;

namespace {

constexpr const char* help = R"(Usage: chimera-conformance PLUGIN.so [options]
Runs every case that applies to the plugin, each in a process of its own.

  --list               name the cases and leave
  --case GLOB          only the cases whose name matches, such as 'wake.*'
  --set KEY=VALUE      an option of the plugin's instances; may be repeated
  --foreign PLUGIN.so  the executor behind a bridge; without it bridge cases are skipped
  --transport PLUGIN.so the transport that a bridge is put over; without it bridge cases are skipped
  --executor PLUGIN.so the executor under a transport; without it the kit's own
  --timeout S          seconds for each case, 30 by default; ten times that under a sanitizer
  --in-process         no processes of their own, for debuggers: a crash or a hang ends everything
  --verbose            what the plugin logs goes to standard error

Exit status: 0 none failed, 1 some did, 2 the command or the plugin is unusable.
)";

struct bad_usage : std::runtime_error {
    using std::runtime_error::runtime_error;
};

unsigned seconds(const std::string& text) {
    char* end = nullptr;
    const unsigned long n = std::strtoul(text.c_str(), &end, 10);
    if (text.empty() || *end != '\0' || n == 0 || n > 100000)
        throw bad_usage("--timeout: '" + text + "' is not a number of seconds");
    return static_cast<unsigned>(n);
}

void set_option(cf::request& r, const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) throw bad_usage("--set: '" + text + "' is not KEY=VALUE");
    r.options[text.substr(0, equals)] = text.substr(equals + 1);
}

struct command {
    cf::request request;
    bool list = false;
};

command parse(int argc, char** argv) {
    command c;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        const auto value = [&]() -> std::string {
            if (++i == argc) throw bad_usage(std::string(word) + " needs a value");
            return argv[i];
        };
        if (word == "--list")
            c.list = true;
        else if (word == "--case")
            c.request.glob = value();
        else if (word == "--set")
            set_option(c.request, value());
        else if (word == "--foreign")
            c.request.foreign = value();
        else if (word == "--transport")
            c.request.transport = value();
        else if (word == "--executor")
            c.request.executor = value();
        else if (word == "--timeout")
            c.request.limit_s = seconds(value());
        else if (word == "--in-process")
            c.request.in_process = true;
        else if (word == "--verbose")
            c.request.verbose = true;
        else if (word.starts_with("-"))
            throw bad_usage("unknown option " + std::string(word));
        else if (c.request.plugin.empty())
            c.request.plugin = word;
        else
            throw bad_usage("one plugin at a time, not also " + std::string(word));
    }
    if (c.request.plugin.empty() && !c.list) throw bad_usage("which plugin?");
    return c;
}

void print(const cf::result& r) {
    const std::string detail = r.detail.empty() ? "" : " (" + r.detail + ")";
    std::printf("%-7s %.*s: %.*s%s  %.2f s\n", std::string(cf::name_of(r.verdict)).c_str(),
                static_cast<int>(r.which.name.size()), r.which.name.data(), static_cast<int>(r.which.sentence.size()),
                r.which.sentence.data(), detail.c_str(), r.seconds);
    std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 2 && (std::strcmp(argv[1], "--help") == 0 || std::strcmp(argv[1], "-h") == 0)) {
        std::fputs(help, stdout);
        return 0;
    }
    try {
        const command c = parse(argc, argv);
        if (c.list) {
            for (const cf::test_case& one : cf::all_cases())
                std::printf("%-36s %.*s\n", std::string(one.name).c_str(), static_cast<int>(one.sentence.size()),
                            one.sentence.data());
            return 0;
        }
        const cf::counts total = cf::run(c.request, print);
        std::printf("%u passed, %u failed, %u skipped\n", total.passed, total.failed, total.skipped);
        return total.failed == 0 ? 0 : 1;
    } catch (const bad_usage& e) {
        std::fprintf(stderr, "chimera-conformance: %s\n%s", e.what(), help);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "chimera-conformance: %s\n", e.what());
    }
    return 2;
}
