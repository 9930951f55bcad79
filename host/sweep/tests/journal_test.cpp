#include "known_sweep.hpp"
#include "sweep/journal.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <optional>

using namespace chimera::test;
using namespace chimera::host;

namespace {

journal_entry entry(int run, cell_status status = cell_status::ok) {
    journal_entry e;
    e.runtime = "r";
    e.config = "c";
    e.run = run;
    e.config_hash = "0123456789abcdef";
    e.status = status;
    e.message = status == cell_status::ok ? "" : "a \"quoted\" reason\nin two lines";
    e.exit_status = 0;
    e.wall_s = 1.5;
    return e;
}

std::string error_of(const std::filesystem::path& folder) {
    try {
        const sweep_journal journal(folder);
    } catch (const std::exception& e) {
        return e.what();
    }
    return "no error";
}

} // namespace

TEST_CASE("what is appended is there for the next one") {
    const scratch_folder folder;
    {
        sweep_journal journal(folder.path);
        journal.append(entry(1));
        journal.append(entry(2, cell_status::crashed));
    }
    const sweep_journal again(folder.path);
    REQUIRE(again.entries().size() == 2);
    CHECK(again.entries()[0].wall_s == 1.5);
    CHECK_FALSE(again.entries()[0].efficiency_pct);
    CHECK(again.entries()[1].status == cell_status::crashed);
    CHECK(again.entries()[1].message == "a \"quoted\" reason\nin two lines");
}

TEST_CASE("a line that was cut off is taken back, and the next one stands by itself") {
    const scratch_folder folder;
    { sweep_journal(folder.path).append(entry(1)); }
    std::ofstream(folder.path / "cells.jsonl", std::ios::app) << "{\"runtime\":\"r\",\"con";
    {
        sweep_journal journal(folder.path);
        CHECK(journal.entries().size() == 1);
        journal.append(entry(2));
    }
    CHECK(sweep_journal(folder.path).entries().size() == 2);
}

TEST_CASE("a line in the middle that is none is an error with its number") {
    const scratch_folder folder;
    { sweep_journal(folder.path).append(entry(1)); }
    std::ofstream(folder.path / "cells.jsonl", std::ios::app) << "not json\n{}\n";
    const std::string error = error_of(folder.path);
    CHECK(error.find("cells.jsonl:2: ") != std::string::npos);
}

TEST_CASE("one process at a time") {
    const scratch_folder folder;
    const sweep_journal mine(folder.path);
    CHECK(error_of(folder.path).find("another sweep is running") != std::string::npos);
}
