#include "known_sweep.hpp"
#include "sweep/journal.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <optional>

using namespace chimera::test;
using namespace chimera::host;

namespace {

cell_result entry(int run, cell_status status = cell_status::ok) {
    cell_result e;
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
    const temporary_folder folder;
    {
        sweep_journal journal(folder.path());
        journal.append(entry(1));
        journal.append(entry(2, cell_status::crashed));
    }
    const sweep_journal again(folder.path());
    REQUIRE(again.entries().size() == 2);
    CHECK(again.entries()[0].wall_s == 1.5);
    CHECK_FALSE(again.entries()[0].efficiency_pct);
    CHECK(again.entries()[1].status == cell_status::crashed);
    CHECK(again.entries()[1].message == "a \"quoted\" reason\nin two lines");
}

TEST_CASE("a line that was cut off is taken back, and the next one stands by itself") {
    const temporary_folder folder;
    { sweep_journal(folder.path()).append(entry(1)); }
    std::ofstream(folder.path() / "cells.jsonl", std::ios::app) << "{\"runtime\":\"r\",\"con";
    {
        sweep_journal journal(folder.path());
        CHECK(journal.entries().size() == 1);
        journal.append(entry(2));
    }
    CHECK(sweep_journal(folder.path()).entries().size() == 2);
}

TEST_CASE("a line in the middle that is none is an error with its number") {
    const temporary_folder folder;
    { sweep_journal(folder.path()).append(entry(1)); }
    std::ofstream(folder.path() / "cells.jsonl", std::ios::app) << "not json\n{}\n";
    const std::string error = error_of(folder.path());
    CHECK(error.find("cells.jsonl:2: ") != std::string::npos);
}

TEST_CASE("one process at a time") {
    const temporary_folder folder;
    const sweep_journal mine(folder.path());
    CHECK(error_of(folder.path()).find("another sweep is running") != std::string::npos);
}

TEST_CASE("the last line of a cell counts") {
    const temporary_folder folder;
    {
        sweep_journal journal(folder.path());
        journal.append(entry(1));
        journal.append(entry(2));
        journal.append(entry(1, cell_status::lost));
        CHECK(journal.entries().size() == 2);
    }
    for (const auto& entries : {sweep_journal(folder.path()).entries(), read_journal(folder.path())}) {
        REQUIRE(entries.size() == 2);
        CHECK(entries[0].run == 2);
        CHECK(entries[1].status == cell_status::lost);
    }
}

TEST_CASE("a line that lacks nothing but its newline is kept, and the next one stands by itself") {
    const temporary_folder folder;
    { sweep_journal(folder.path()).append(entry(1)); }
    const auto file = folder.path() / "cells.jsonl";
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
    CHECK(read_journal(folder.path()).size() == 1);
    sweep_journal(folder.path()).append(entry(2));
    CHECK(sweep_journal(folder.path()).entries().size() == 2);
}

TEST_CASE("a line with a changed byte is an error with its number, and the file stays as it is") {
    const temporary_folder folder;
    {
        sweep_journal journal(folder.path());
        journal.append(entry(1));
        journal.append(entry(2));
    }
    const auto file = folder.path() / "cells.jsonl";
    std::ifstream in(file);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    text[text.rfind("1.5")] = '7';
    text += "cut off";
    std::ofstream(file) << text;
    const std::string error = error_of(folder.path());
    CHECK(error.find("cells.jsonl:2: is damaged: its bytes give the checksum") != std::string::npos);
    CHECK(std::filesystem::file_size(file) == text.size());
}

TEST_CASE("nothing is appended to a journal that was removed") {
    const temporary_folder folder;
    sweep_journal journal(folder.path());
    journal.append(entry(1));
    std::filesystem::remove(folder.path() / "cells.jsonl");
    CHECK_THROWS_WITH_AS(journal.append(entry(2)), doctest::Contains("is gone"), std::runtime_error);
}
