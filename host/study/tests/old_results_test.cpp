// Results of an older version are read as that version read them: no figure changes.
#include "study/analysis.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

using namespace chimera::host;

namespace {

/// The sentences and the document's version changed since; the figures did not.
bool is_wording(const std::string& key) {
    return key == "schema_version" || key == "findings" || key == "words" || key == "repeat" || key == "improvement";
}

/// Whether all that is in `old` is in `now`, with the same figures. Members that `old` does not have are new. The
/// report of version 2 had rounded nanoseconds to fractions of milliseconds before it computed: the last digits differ.
void check_same(const json& old, const json& now, const std::string& place) {
    if (old.is_number()) {
        REQUIRE_MESSAGE(now.is_number(), place);
        const double a = old, b = now;
        CHECK_MESSAGE(std::abs(a - b) <= 1e-9 * std::max(1.0, std::abs(a)), place, ": ", a, " became ", b);
    } else if (old.is_object()) {
        for (const auto& [key, value] : old.items()) {
            const std::string at = place + "/" + key;
            if (is_wording(key)) continue;
            REQUIRE_MESSAGE(now.contains(key), at);
            check_same(value, now[key], at);
        }
    } else if (old.is_array()) {
        REQUIRE_MESSAGE(old.size() == now.size(), place);
        for (std::size_t i = 0; i < old.size(); ++i) check_same(old[i], now[i], place + "/" + std::to_string(i));
    } else {
        CHECK_MESSAGE(old == now, place, ": ", old.dump(), " became ", now.dump());
    }
}

} // namespace

TEST_CASE("the report on a sweep of version 2 has the figures that version 2 reported") {
    const std::filesystem::path folder = CHIMERA_RESULTS_OF_VERSION_2;
    study s = load_study(folder / "small");
    CHECK(damage_of(s).empty());
    read_requests(s);
    const json old = read_results_document(folder / "report.json").content;
    REQUIRE(old["runs"].size() == 8);
    check_same(old, to_json(report_of(s, "test")), "");
}
