// The conformance kit finds defects: each plugin of bad_plugins/mutants.txt has one, and the case for this defect
// catches it. docs/conformance.md lists the same.
#include "host_process.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using chimera::test::content_of;
using chimera::test::outcome;
using chimera::test::process;
using chimera::test::run_host;

const fs::path built = CHIMERA_BAD_PLUGIN_DIR;
const fs::path sources = CHIMERA_SOURCE_DIR "/tests/bad_plugins";

/// A line of mutants.txt.
struct mutant {
    std::string plugin, rule, verdict, says; ///< rule "-": refused before any case runs
    bool race = false;                       ///< a run may miss it
};

std::vector<mutant> mutants() {
    std::vector<mutant> all;
    std::ifstream file(sources / "mutants.txt");
    REQUIRE(file);
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line.front() == '#') continue;
        std::istringstream words(line);
        mutant m;
        words >> m.plugin >> m.rule >> m.verdict >> std::ws;
        std::getline(words, m.says);
        CAPTURE(line);
        REQUIRE(!m.verdict.empty());
        if (m.verdict == "sometimes") {
            m.race = true;
            m.verdict = "failed";
        }
        all.push_back(m);
    }
    return all;
}

std::vector<std::string> validate(const std::string& plugin, const std::string& glob, int limit_s) {
    return {"validate",
            (built / (plugin + ".so")).string(),
            "--json",
            "--case",
            glob,
            "--timeout",
            std::to_string(limit_s)};
}

void check_caught(const mutant& m, const outcome& o) {
    CAPTURE(m.plugin);
    CAPTURE(o.out);
    CAPTURE(o.err);
    if (m.rule == "-") {
        CHECK(o.status == 2);
        CHECK(o.err.find(m.plugin) != std::string::npos);
        CHECK(o.err.find(m.says) != std::string::npos);
        return;
    }
    CHECK(o.status == (m.verdict == "warning" ? 0 : 1));
    const nlohmann::json cases = o.json()["cases"];
    REQUIRE(cases.size() == 1);
    CHECK(cases[0]["name"] == m.rule);
    CHECK(cases[0]["verdict"] == m.verdict);
    CHECK(cases[0]["detail"].get<std::string>().find(m.says) != std::string::npos);
}

bool is_sound(const fs::path& source) {
    const std::string name = source.stem();
    return name.starts_with("good_") || name.starts_with("sound_");
}

/// The part of docs/conformance.md below its marker.
std::string tables() {
    std::map<std::string, std::string> caught;
    std::string refused;
    for (const mutant& m : mutants()) {
        const std::string name = "`" + fs::path(m.plugin).filename().string() + "`";
        std::string& cell = caught[m.rule];
        cell += (cell.empty() ? "" : ", ") + name;
        if (m.rule == "-") refused += "| " + name + " | " + m.says + " |\n";
    }
    std::string text = "| case | applies to | rule | finds |\n|---|---|---|---|\n";
    const nlohmann::json list = run_host({"validate", "--list", "--json"}).json();
    for (const auto& c : list["cases"]) {
        const std::string name = c["name"];
        text += "| `" + name + "` | " + c["kind"].get<std::string>() + " | " + c["sentence"].get<std::string>() +
                " | " + caught[name] + " |\n";
    }
    return text + "\n## Refused before any case runs\n\n| plugin | what is said |\n|---|---|\n" + refused;
}

} // namespace

TEST_CASE("every mutant is caught by the case that is there for it") {
    // Side by side, as most of them only wait: a hung one for its limit, which is short because it stays hung.
    struct one {
        mutant what;
        std::unique_ptr<process> running;
    };
    std::deque<one> running;
    const auto arguments = [](const mutant& m) {
        return validate(m.plugin, m.rule == "-" ? "*" : m.rule, m.verdict == "hung" ? 1 : 30);
    };
    const auto finish_first = [&] {
        const mutant& m = running.front().what;
        outcome o = running.front().running->wait();
        for (int again = 0; m.race && o.status == 0 && again < 9; ++again) o = run_host(arguments(m));
        check_caught(m, o);
        running.pop_front();
    };
    for (const mutant& m : mutants()) {
        if (running.size() == 10) finish_first();
        running.push_back({m, std::make_unique<process>(chimera::test::host_program(), arguments(m))});
    }
    while (!running.empty()) finish_first();
}

TEST_CASE("a plugin that can only be loaded breaks no rule of loading") { // validate.sound_* try the others
    for (const std::string plugin : {"good_executor", "good_transport", "good_larger_option"})
        for (const std::string glob : {"entry.[!u]*", "options.[sd]*"}) {
            const outcome o = run_host(validate(plugin, glob, 30));
            CHECK_MESSAGE(o.status == 0, plugin, o.out, o.err);
        }
}

TEST_CASE("the readiness that the mutants of io.* are built around breaks no rule of theirs") {
    const outcome o = run_host(validate("executors/sound_readiness", "io.*", 30));
    CHECK_MESSAGE(o.status == 0, o.out, o.err);
}

TEST_CASE("the receiver that the mutants of receive.* are built around breaks no rule of theirs") {
    const outcome o = run_host(validate("executors/sound_receiver", "receive.*", 30));
    CHECK_MESSAGE(o.status == 0, o.out, o.err);
    CHECK(o.json()["counts"]["passed"] == 11); // its reactor is for any thread, so that receive.affinity is skipped
}

TEST_CASE("every plugin of the folder is in the table, or has no defect") {
    std::vector<std::string> listed;
    for (const mutant& m : mutants()) listed.push_back(m.plugin);
    for (const auto& entry : fs::recursive_directory_iterator(sources)) {
        if (entry.path().extension() != ".c" && entry.path().extension() != ".sed") continue;
        const std::string plugin = fs::relative(entry.path(), sources).replace_extension().string();
        CAPTURE(plugin);
        CHECK((is_sound(plugin) || std::count(listed.begin(), listed.end(), plugin) > 0));
    }
}

TEST_CASE("docs/conformance.md lists the cases and what each one finds") {
    const fs::path page = CHIMERA_SOURCE_DIR "/docs/conformance.md", right = built / "../conformance.md";
    const std::string marker = "<!-- from here on checked by mutants_test, which writes what belongs here -->\n\n";
    const std::string now = content_of(page);
    const auto at = now.find(marker);
    REQUIRE(at != std::string::npos);
    const std::string wanted = now.substr(0, at + marker.size()) + tables();
    std::ofstream(right) << wanted;
    CHECK_MESSAGE(now == wanted, "copy ", fs::weakly_canonical(right), " to ", page);
}
