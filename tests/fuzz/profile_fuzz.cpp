// profile_fuzz [--seed N] [--seconds N] [--only N] [--replay PATH]
// Profiles and sweeps, changed at random, with changes of the command line, through all that reads them. Whatever they
// hold: an answer, or faults that each say where. What loads is written by to_toml() as a text that loads again, to an
// equal profile of the same hash.
#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <memory>
#include <string_view>

#include "corpus.hpp"
#include "fuzz_run.hpp"
#include "mutation.hpp"
#include "profile/load.hpp"
#include "sweep/definition.hpp"

using namespace chimera::fuzz;
using namespace chimera::host;

namespace {

namespace fs = std::filesystem;

// Parts of profiles, beside the whole ones in corpus/toml: words of TOML, keys, values at their limits, and
// values of the command line.
constexpr std::array<std::string_view, 72> profile_tokens{
    "\n",
    "\r\n",
    "\r",
    "\t",
    "#",
    "\xef\xbb\xbf",
    std::string_view("\0", 1),
    "\x7f",
    "\xc3",
    "\xe2\x80\xae",
    "\\u0000",
    "\\u202E",
    "\\U0010FFFF",
    "\\x",
    "=",
    ".",
    ",",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "\"\" = 1\n",
    "\"a.b\" = 1\n",
    "a.b = 2\n",
    "*",
    "nan",
    "inf",
    "-inf",
    "-0.0",
    "1e400",
    "1e-400",
    "5e-324",
    "1.7976931348623157e308",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "2147483647",
    "2147483648",
    "100000",
    "0x7fffffffffffffff",
    "0b1",
    "1_000",
    "true",
    "false",
    "1979-05-27T07:32:00Z",
    "[executor]\n",
    "[backend]\n",
    "[backend.body]\n",
    "[workload]\n",
    "[[workload.agents]]\n",
    "[workload.agents]\n",
    "[sweep]\n",
    "[sweep.grid]\n",
    "[[sweep.runtimes]]\n",
    "[[sweep.configs]]\n",
    "count = 1000000000\n",
    "count = 100000\n",
    "runs = 2147483648\n",
    "runs = 10000\n",
    "instances = 1000\n",
    "id = \"x\"\n",
    "plugin = \"pool\"\n",
    "plugin = \"none\"\n",
    "name = \"x\"\n",
    "\"workload.permits\" = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n",
    "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.",
};

/// Arguments of --set, before they are changed.
constexpr std::array<std::string_view, 20> profile_sets{"measure.runs=3",
                                                        "measure.seed=9223372036854775807",
                                                        "executor.plugin=bridge",
                                                        "executor.options.workers=4",
                                                        "workload.kind=calls",
                                                        "workload.permits=0",
                                                        "workload.agents.0.options.num_ctx=1",
                                                        "workload.agents.collector.model=m",
                                                        "workload.agents.2.id=c",
                                                        "workload.agents=[]",
                                                        "workload.agents.count=3",
                                                        "workload.prompts=[\"a\", \"b\"]",
                                                        "workload.prompts=plain text",
                                                        "backend.urls=http://u:p@h",
                                                        "backend.body.a.b=nan",
                                                        "backend.body.x={ y = [1, {}] }",
                                                        "backend.headers.X-A=1",
                                                        "backend.simulator.speeds=[1]",
                                                        "alerts.ttft_p95_ms=1",
                                                        "description=\xff"};

constexpr chm_option pool_options[] = {
    {sizeof(chm_option), CHM_OPT_INT, "workers", "Threads", "2", nullptr, 1, 64},
    {sizeof(chm_option), CHM_OPT_BOOL, "steal", "Take from others", "true", nullptr, 1, 0},
    {sizeof(chm_option), CHM_OPT_FLOAT, "spin.share", "Spinning", "0.50", nullptr, 0, 1},
    {sizeof(chm_option), CHM_OPT_STRING, "spin.label", "Label", "", nullptr, 1, 0},
    {sizeof(chm_option), CHM_OPT_INT, "any", "Any number", "0", nullptr, 1, 0},
};
constexpr chm_option bridge_options[] = {
    {sizeof(chm_option), CHM_OPT_ENUM, "await", "How to wait", "block", "block|wake|channel", 1, 0},
};
constexpr chm_option socket_options[] = {
    {sizeof(chm_option), CHM_OPT_INT, "read_size", "Bytes", "1024", nullptr, 1, 1 << 20},
};

schema_answer schema_of(plugin_kind kind, const std::string& plugin, const fs::path&) {
    if (kind == plugin_kind::executor && plugin == "pool") return {pool_options, {}};
    if (kind == plugin_kind::executor && plugin == "bridge") return {bridge_options, {}};
    if (kind == plugin_kind::transport && plugin == "socket") return {socket_options, {}};
    return {{}, "there is no such plugin"};
}

struct given_profile {
    std::string toml;
    profile_overrides overrides;
};

/// Empty where a profile is written as it was read.
std::string round_trip(const profile& p, const fs::path& file) {
    const std::string written = to_toml(p);
    try {
        const profile again = parse_profile(written, file, schema_of);
        if (!(again == p)) return "another profile is read from what was written: " + in_full(written);
        if (config_hash(again) != config_hash(p)) return "the hash changes: " + in_full(written);
        if (to_toml(again) != written) return "written a second time it is another text: " + in_full(written);
    } catch (const profile_error& e) {
        return std::string("what was written is refused: ") + e.what() + " in " + in_full(written);
    }
    return "";
}

/// Empty where an error says something, in words.
std::string fault_of(const profile_error& e) {
    if (e.faults().empty()) return "refused without a fault";
    const auto wordless = [](const std::string& fault) { return fault.find(": ") == std::string::npos; };
    return std::ranges::any_of(e.faults(), wordless) ? std::string("a fault without a place: ") + e.what() : "";
}

class profile_fuzzer final : public fuzzer {
  public:
    std::string iterate(random_source& random) override { return tried(draw(random)); }
    std::string replay(const std::string& bytes, random_source&) override { return tried({bytes, {}}); }

    std::string input(random_source& random) override {
        const given_profile given = draw(random);
        std::string text = "  " + in_full(given.toml);
        for (const std::string& set : given.overrides.sets) text += "\n  --set " + in_full(set);
        for (const std::string& url : given.overrides.urls) text += "\n  --url " + in_full(url);
        if (given.overrides.model) text += "\n  --model " + in_full(*given.overrides.model);
        return text;
    }

  private:
    std::string tried(const given_profile& given) const {
        folder_.write("p.toml", given.toml);
        const fs::path file = folder_.path() / "p.toml";
        try {
            if (std::string why = run_of(file, given); !why.empty()) return why;
            return sweep_of(file, given);
        } catch (const std::exception& e) {
            return std::string("an exception of another kind: ") + e.what();
        }
    }

    static std::string run_of(const fs::path& file, const given_profile& given) {
        try {
            return round_trip(load_profile(file, schema_of, given.overrides), file);
        } catch (const profile_error& e) {
            return fault_of(e);
        }
    }

    static std::string sweep_of(const fs::path& file, const given_profile& given) {
        try {
            const sweep_definition sweep = load_sweep(file, schema_of, given.overrides);
            const auto plan = plan_cells(sweep);
            const auto expected =
                sweep.runtimes.size() * sweep.configs.size() * static_cast<std::size_t>(std::max(sweep.runs, 0));
            if (plan.size() != expected || plan.empty()) return "the plan has not every cell once";
            for (const auto& row : sweep.profiles)
                for (std::size_t c = 0; c < std::min<std::size_t>(row.size(), 3); ++c)
                    if (std::string why = round_trip(row[c], file); !why.empty()) return why;
            return "";
        } catch (const profile_error& e) {
            return fault_of(e);
        }
    }

    given_profile draw(random_source& random) const {
        given_profile given{profiles_.draw(random), {}};
        if (one_in(random, 3)) repeat_deeply(given.toml, random);
        if (one_in(random, 2)) return given;
        for (std::size_t n = 1 + below(random, 3); n > 0; --n) {
            std::string set = sets_.draw(random);
            if (one_in(random, 20)) repeat_deeply(set, random);
            std::erase(set, '\0'); // which ends an argument
            given.overrides.sets.push_back(std::move(set));
        }
        if (one_in(random, 4)) given.overrides.urls = {"http://h:1", one_in(random, 4) ? "http://\xff" : "http://i"};
        if (one_in(random, 4)) given.overrides.model = one_in(random, 4) ? "\xff" : "m";
        if (one_in(random, 4)) given.overrides.runs = one_in(random, 2) ? 2 : std::int64_t{1} << 31;
        if (one_in(random, 8)) given.overrides.seed = static_cast<std::int64_t>(random());
        return given;
    }

    /// Puts in one piece many times: nesting, long keys, long texts, many keys.
    static void repeat_deeply(std::string& text, random_source& random) {
        constexpr std::string_view pieces[] = {"[", "{a=", "a.", "\"a\".", "[[a", "x", "\"", "\n", "a = [", "[a.b]\n"};
        const std::string_view piece = pieces[below(random, std::size(pieces))];
        const std::size_t times = one_in(random, 4) ? 50'000 : 1 + below(random, 300);
        std::string all;
        for (std::size_t i = 0; i < times; ++i) all += piece;
        text.insert(below(random, text.size() + 1), all);
    }

    const scratch_folder folder_;
    const mutator profiles_{corpus_seeds("toml"), profile_tokens};
    const mutator sets_{{profile_sets.begin(), profile_sets.end()}, profile_tokens};
};

} // namespace

int main(int argc, char** argv) {
    try {
        return run("profile_fuzz", parse_options(argc, argv, ""), [] { return std::make_unique<profile_fuzzer>(); });
    } catch (const std::exception& e) {
        std::fprintf(stderr, "profile_fuzz: %s\n", e.what());
        return 2;
    }
}
