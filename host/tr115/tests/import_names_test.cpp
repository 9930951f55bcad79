// Trees of several phases: which folder is the runtime's, and what configurations are called.
#include "original_tree.hpp"
#include "study/study.hpp"
#include "tr115/import.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;
using namespace chimera::test;
namespace fs = std::filesystem;

namespace {

const auto options = original_options(80, 512);

nlohmann::ordered_json with_temperature_1(int num_gpu, int num_ctx) {
    auto out = original_options(num_gpu, num_ctx);
    out["temperature"] = 1.0;
    return out;
}

void write_run(const temporary_folder& f, const fs::path& folder, const nlohmann::ordered_json& of_both = options) {
    f.write(folder / "metrics.json", original_metrics({}, of_both, of_both).dump());
}

std::vector<std::string> cells(const temporary_folder& f, const std::vector<fs::path>& trees,
                               const std::vector<named_runtime>& names = {}, import_outcome* outcome = nullptr) {
    const import_outcome o = import_tr115(trees, f / "out", names);
    if (outcome) *outcome = o;
    std::vector<std::string> out;
    for (const study_run& r : load_study(f / "out").runs)
        out.push_back(r.runtime + " " + r.config + " " + std::to_string(r.number));
    return out;
}

using names = std::vector<std::string>;

} // namespace

TEST_CASE("a folder that begins with runtime- is the runtime's, however deep") {
    const temporary_folder f;
    write_run(f, "tree/TR115/results/runtime-smol/homo/run_1/run_1");
    CHECK(cells(f, {f / "tree"}) == names{"smol homo 1"});
}

TEST_CASE("runtimes are named on the command line") {
    const temporary_folder f;
    write_run(f, "tree/multi/python/homo/run_1");
    write_run(f, "tree/multi/rust/homo/run_1");
    CHECK_THROWS_WITH_AS(cells(f, {f / "tree"}), doctest::Contains("name it, as in --runtime python=NAME"),
                         results_error);
    SUBCASE("by one folder") {
        CHECK(cells(f, {f / "tree"}, {{"python", "asyncio"}, {"rust", "tokio"}}) ==
              names{"asyncio homo 1", "tokio homo 1"});
    }
    SUBCASE("by several") {
        CHECK(cells(f, {f / "tree"}, {{"multi/python", "asyncio"}, {"multi/rust", "tokio"}}) ==
              names{"asyncio homo 1", "tokio homo 1"});
    }
    SUBCASE("one that none has") {
        CHECK_THROWS_WITH_AS(cells(f, {f / "tree"}, {{"python", "a"}, {"rust", "b"}, {"pyhton", "c"}}),
                             doctest::Contains("--runtime pyhton=c: no run is below such a folder; did you mean "
                                               "\"python\"?"),
                             results_error);
    }
    SUBCASE("two in one path") {
        CHECK_THROWS_WITH_AS(cells(f, {f / "tree"}, {{"multi", "a"}, {"rust", "b"}}),
                             doctest::Contains("--runtime multi=a and --runtime rust=b: both name a folder of"),
                             results_error);
    }
    SUBCASE("a name that cannot be a folder's") {
        CHECK_THROWS_WITH_AS(cells(f, {f / "tree"}, {{"python", "a/b"}}), doctest::Contains("--runtime python=a/b: "),
                             results_error);
    }
}

TEST_CASE("a name may replace the one that a runtime's folder has") {
    const temporary_folder f;
    write_run(f, "tree/runtime-smol/homo/run_1");
    CHECK(cells(f, {f / "tree"}, {{"smol", "fiber"}}) == names{"fiber homo 1"});
}

TEST_CASE("phases and trees are told apart in the configurations' names") {
    const temporary_folder f;
    SUBCASE("phases of one tree") {
        write_run(f, "tree/phase_1/runtime-smol/homo/run_1");
        write_run(f, "tree/phase_2/runtime-smol/homo/run_1");
        CHECK(cells(f, {f / "tree"}) == names{"smol phase_1_homo 1", "smol phase_2_homo 1"});
    }
    SUBCASE("trees") {
        write_run(f, "TR113/results/smol/homo/run_1");
        write_run(f, "TR114/results/smol/homo/run_1");
        CHECK(cells(f, {f / "TR113/results", f / "TR114"}) == names{"smol TR113_homo 1", "smol TR114_homo 1"});
        CHECK(load_study(f / "out").name == "TR113 and TR114");
    }
    SUBCASE("a tree within another would be read twice") {
        write_run(f, "tree/smol/homo/run_1");
        CHECK_THROWS_WITH_AS(cells(f, {f / "tree", f / "tree/smol"}), doctest::Contains("give one of them"),
                             results_error);
    }
    SUBCASE("two trees of one name with the same run") {
        write_run(f, "a/tree/smol/homo/run_1");
        write_run(f, "b/tree/smol/homo/run_1");
        CHECK_THROWS_WITH_AS(cells(f, {f / "a/tree", f / "b/tree"}), doctest::Contains("both are run 1 of smol"),
                             results_error);
    }
}

TEST_CASE("a run that another one would overwrite is refused, and both are named") {
    const temporary_folder f;
    const auto refused = [&f](const char* first, const char* second, const char* why) {
        write_run(f, fs::path("tree/runtime-smol") / first);
        write_run(f, fs::path("tree/runtime-smol") / second);
        for (const char* named : {first, second, why})
            CHECK_THROWS_WITH_AS(cells(f, {f / "tree"}), doctest::Contains(named), results_error);
        CHECK_FALSE(fs::exists(f / "out"));
    };
    SUBCASE("two ways to write a number") { refused("homo/run_1", "homo/run_01", "their folders name the same run"); }
    SUBCASE("only the last folder above the configuration counts") {
        refused("q4/gemma/homo/run_1", "q8/gemma/homo/run_1", "their folders name the same run");
    }
    SUBCASE("the files do not say what the folders tell apart") {
        refused("q4/homo/run_1", "q8/homo/run_1", "both would be smol/homo/run_1");
    }
}

TEST_CASE("configurations are called as our campaigns call them") {
    const temporary_folder f;
    import_outcome outcome;
    SUBCASE("another spelling of the same") {
        write_run(f, "tree/smol/chimera-homo_gpu80_ctx512_temp10/run_1", with_temperature_1(80, 512));
        CHECK(cells(f, {f / "tree"}, {}, &outcome) == names{"smol chimera_homo_gpu80_ctx512 1"});
        CHECK(outcome.warnings.empty());
    }
    SUBCASE("agents that differ") {
        f.write("tree/smol/chimera_hetero_gpu80-100_ctx512-1024/run_1/metrics.json",
                original_metrics({}, with_temperature_1(80, 512), with_temperature_1(100, 1024)).dump());
        CHECK(cells(f, {f / "tree"}, {}, &outcome) == names{"smol chimera_hetero_gpu80-100_ctx512-1024 1"});
        CHECK(outcome.warnings.empty());
        const study s = load_study(f / "out");
        CHECK(s.configs[0].parameters ==
              nlohmann::ordered_json{{"num_gpu", "80/100"}, {"num_ctx", "512/1024"}, {"temperature", 1}});
    }
    SUBCASE("a name that says other options than the files") {
        write_run(f, "tree/smol/chimera-homo_gpu80_ctx512_temp10/run_1", with_temperature_1(80, 2048));
        CHECK(cells(f, {f / "tree"}, {}, &outcome) == names{"smol chimera_homo_gpu80_ctx2048 1"});
        REQUIRE(outcome.warnings.size() == 1);
        CHECK(outcome.warnings[0].find("its files have the options of chimera_homo_gpu80_ctx2048") !=
              std::string::npos);
    }
    SUBCASE("two folders with the same options keep their names") {
        write_run(f, "tree/smol/chimera_homo_a/run_1", with_temperature_1(80, 512));
        write_run(f, "tree/smol/chimera_homo_b/run_1", with_temperature_1(80, 512));
        CHECK(cells(f, {f / "tree"}) == names{"smol chimera_homo_a 1", "smol chimera_homo_b 1"});
    }
    SUBCASE("options that differ within a configuration") {
        write_run(f, "tree/smol/homo/run_1", with_temperature_1(80, 512));
        write_run(f, "tree/smol/homo/run_2", with_temperature_1(60, 512));
        cells(f, {f / "tree"}, {}, &outcome);
        REQUIRE(outcome.warnings.size() == 1);
        CHECK(outcome.warnings[0].find("num_gpu is 60 here and 80 in ") != std::string::npos);
    }
}

TEST_CASE("several models are parts of the names, and one of two spellings is the file's") {
    const temporary_folder f;
    const auto summary = [&f](const char* place, const char* model) {
        auto content = original_summary_file({}, options);
        content["agent_a"]["model"] = content["agent_b"]["model"] = model;
        f.write(fs::path(place) / "homo/summary.json", content.dump());
    };
    summary("tree/rust/gemma3_latest", "gemma3:latest");
    summary("tree/rust/qwen2p5_7b", "qwen2.5:7b");
    f.write("tree/python/qwen2p5_7b/qwen2.5_7b/homo/summary.json", python_summary_file({}, options).dump());
    CHECK(cells(f, {f / "tree"}, {{"rust", "rust"}, {"python", "python"}}) ==
          names{"python homo_qwen2.5_7b 1", "rust homo_gemma3_latest 1", "rust homo_qwen2.5_7b 1"});
    const study s = load_study(f / "out");
    CHECK(s.configs[0].parameters["model"] == "gemma3:latest");
    CHECK(s.configs[1].parameters["model"] == "qwen2.5:7b");
}
