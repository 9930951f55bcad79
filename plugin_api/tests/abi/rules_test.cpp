// docs/abi-rules.md and the validator say the same: every rule's cases exist, and every case belongs to a rule.
#include "conformance/case.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace {

/// The words in backquotes of the rules' fourth and fifth column, and the numbers of the first.
struct rules {
    std::set<std::string> cases, enforcers;
    std::set<unsigned> numbers; ///< in any order: a new rule stands beside those of its subject

    rules() {
        std::ifstream page(CHIMERA_SOURCE_DIR "/docs/abi-rules.md");
        REQUIRE(page);
        for (std::string line; std::getline(page, line);) {
            if (line.size() < 3 || line[2] < '0' || line[2] > '9') continue;
            const auto number = static_cast<unsigned>(std::stoul(line.substr(2)));
            CHECK_MESSAGE(line.starts_with("| " + std::to_string(number) + " |"), "rules are numbered: ", line);
            CHECK_MESSAGE(numbers.insert(number).second, "two rules have this number: ", line);
            REQUIRE_MESSAGE(std::count(line.begin(), line.end(), '|') == 6, "a rule has five columns: ", line);
            std::size_t begin = 0;
            for (int column = 0; column < 3; ++column) begin = line.find('|', begin + 1);
            const auto end = line.find('|', begin + 1);
            collect(line.substr(begin, end - begin), cases);
            collect(line.substr(end), enforcers);
        }
    }

  private:
    static void collect(const std::string& column, std::set<std::string>& words) {
        for (auto at = column.find('`'); at != std::string::npos;) {
            const auto end = column.find('`', at + 1);
            REQUIRE_MESSAGE(end != std::string::npos, column);
            words.insert(column.substr(at + 1, end - at - 1));
            at = column.find('`', end + 1);
        }
    }
};

} // namespace

TEST_CASE("every case of the validator belongs to a rule of docs/abi-rules.md") {
    const rules written;
    for (const auto& known : chimera::conformance::all_cases())
        CHECK_MESSAGE(written.cases.count(std::string(known.name)) == 1, "the case \"", std::string(known.name),
                      "\" belongs to no rule: name it beside the rule that it tries to break (\"",
                      std::string(known.sentence), "\"), or add that rule");
}

TEST_CASE("every case that docs/abi-rules.md names exists") {
    const rules written;
    CHECK(written.numbers.size() > 50);
    CHECK_MESSAGE(*written.numbers.rbegin() == written.numbers.size(), "a number between is left out");
    const auto& known = chimera::conformance::all_cases();
    for (const auto& name : written.cases)
        CHECK_MESSAGE(std::any_of(known.begin(), known.end(), [&](const auto& one) { return one.name == name; }),
                      "no case is called \"", name, "\": see chimera-host validate --list");
}

TEST_CASE("every file that docs/abi-rules.md names as enforcing a rule exists") {
    const rules written;
    CHECK(written.enforcers.size() > 5);
    for (const auto& name : written.enforcers)
        CHECK_MESSAGE(std::filesystem::exists(std::filesystem::path(CHIMERA_SOURCE_DIR "/host") / name), name);
}
