// results_fuzz [--seed N] [--seconds N] [--only N] [--replay PATH]
// Folders of results, changed at random, through all that reads them and into every format that is published. Whatever
// they hold: an answer, or a results_error. What is published is neutral: nothing in it acts on a terminal, ends the
// element of a page, makes Markdown of its own or a formula, and every row of a table has as many cells as its head.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <memory>
#include <string_view>

#include "corpus.hpp"
#include "fuzz_run.hpp"
#include "mutation.hpp"
#include "neutral_text.hpp"
#include "publish/publish.hpp"
#include "study/analysis.hpp"
#include "study/study_comparison.hpp"

using namespace chimera::fuzz;
using namespace chimera::host;
using namespace chimera::test;

namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

// Parts of results files, beside the whole folders in corpus/results: words of JSON, and values that are put in
// the place of others.
constexpr std::array<std::string_view, 30> results_tokens{
    "\n",
    "\r",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "null",
    "true",
    "=== cells.jsonl\n",
    "=== sweep.json\n",
    "=== pool/plain/run_2/metrics.json\n",
    "\"values\":{}",
    "\"agents\":[]",
    "\"parameters\":{\"agents\":2}",
    "\"parameters\":{\"a\":[[[[1]]]]}",
    "\"status\":\"failed\"",
    "\"status\":\"not_needed\"",
    "\"runtime\":\"pool\"",
    "\"config\":\"plain\"",
    "\"run\":1",
    "\"folder\":\"../pool\"",
    "\"pieces\":[[1,1,1,1,1,0]]",
    "\"crc32\":\"00000000\"",
    "\xef\xbb\xbf",
    "\xff",
    std::string_view("\0", 1),
};

/// Whole JSON values.
constexpr std::array<std::string_view, 40> results_values{
    "null",
    "true",
    "false",
    "0",
    "-0.0",
    "1",
    "2",
    "-1",
    "0.5",
    "100.0",
    "1e308",
    "-1e308",
    "1e-320",
    "2147483647",
    "2147483648",
    "-2147483649",
    "4294967297",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "1e400",
    "\"\"",
    "\"pool\"",
    "\"plain\"",
    "\"ok\"",
    "\"serialized\"",
    "\"\\u001b]0;title\\u0007\\u001b[2J\"",
    "\"\\u202e\\u2066\\u200b\\udb40\\udc41\"",
    "\"\\u0000\\u0085\\u009b31m\"",
    "\"=1+1\"",
    "\"-2+3\"",
    "\"@SUM(A1)\"",
    "\"\\tx\\ry\\nz\"",
    "\"# h\\n\\n- a | b `c` [d](e) ![f](g) <script>h</script> </script><!-- &lt; *i* _j_ ~k~ \\\\\"",
    "\"a,\\\"b\\\"\"",
    "\"\\ud800\"",
    "[]",
    "{}",
    "[1,2,3]",
    "{\"a\":{\"b\":[{}]}}"};

/// A folder as one text: "=== NAME", a line end, and the bytes of the file up to the next one.
void unpack(const std::string& packed, const scratch_folder& folder, const std::string& below) {
    constexpr std::string_view mark = "=== ";
    for (std::size_t at = packed.starts_with(mark) ? 0 : packed.find("\n=== "); at < packed.size();) {
        at += packed[at] == '\n' ? 1 + mark.size() : mark.size();
        const std::size_t name_end = std::min(packed.find('\n', at), packed.size());
        fs::path name(below);
        for (const fs::path& step : fs::path(packed.substr(at, name_end - at)))
            if (step != ".." && step != "/" && step.native().size() < 100 &&
                step.native().find('\0') == std::string::npos)
                name /= step;
        if (name == below) name /= "unnamed";
        const std::size_t begin = std::min(name_end + 1, packed.size());
        const std::size_t next = std::min(packed.find("\n=== ", name_end), packed.size());
        try {
            folder.write(name, std::string_view(packed).substr(begin, next < begin ? 0 : next - begin + 1));
        } catch (const std::exception&) { // a name that is a folder already, or none
        }
        at = next;
    }
}

/// The place of a number that is none; empty: there is none.
std::string find_infinite(const json& value, const std::string& place = "") {
    if (value.is_number_float() && !std::isfinite(value.get<double>())) return place;
    if (value.is_structured())
        for (const auto& [name, item] : value.items())
            if (std::string found = find_infinite(item, place + "/" + name); !found.empty()) return found;
    return "";
}

class results_fuzzer final : public fuzzer {
  public:
    results_fuzzer() {
        base_.write("page.html", "<script>{{report}}</script>");
        unpack(seeds_.front(), base_, "sweep");
        base_study_ = load_study(base_.path() / "sweep");
        read_requests(*base_study_);
    }

    std::string iterate(random_source& random) override { return tried(draw(random)); }
    std::string replay(const std::string& bytes, random_source&) override { return tried(bytes); }
    std::string input(random_source& random) override { return "  " + in_full(draw(random)); }

  private:
    std::string tried(const std::string& packed) {
        folder_.clear();
        unpack(packed, folder_, "results");
        fs::create_directories(folder_.path() / "results");
        try {
            study s = load_study(folder_.path() / "results");
            read_requests(s);
            if (std::string why = published(s); !why.empty()) return why;
            return compared(s);
        } catch (const results_error& e) {
            return std::string(e.what()).empty() ? "refused without a word" : "";
        } catch (const std::exception& e) {
            return std::string("an exception of another kind: ") + e.what();
        }
    }

    std::string published(const study& s) const {
        constexpr std::size_t most_cells = 1'000'000'000;
        if (s.cells_planned > most_cells) return "planned cells: " + std::to_string(s.cells_planned);
        const study_report report = report_of(s, "fuzz");
        if (const std::string place = find_infinite(to_json(report)); !place.empty())
            return "a figure of the report is not finite: " + place;
        const std::string plain = json_text(to_json(report));
        if (!json::accept(plain)) return "the JSON report is not JSON";
        if (!json::accept(json_text(to_vllm(report)))) return "vLLM's document is not JSON";
        std::string why = fault_in_markdown(to_markdown(report));
        if (why.empty()) why = fault_in_csv(to_csv(report));
        if (why.empty())
            why = fault_in_page(to_html(to_json(report), base_.path() / "page.html"), "<script>", "</script>");
        return why;
    }

    std::string compared(const study& s) const {
        const std::vector<study> both{*base_study_, s};
        const study_comparison c = compare_studies(both, {});
        return json::accept(json_text(to_json(c))) ? "" : "the comparison is not JSON";
    }

    /// Half of the changes are of values, so that the files stay JSON.
    std::string draw(random_source& random) const {
        if (one_in(random, 3)) return mutator_.draw(random);
        std::string packed = seeds_[below(random, seeds_.size())];
        for (std::size_t n = 1 + below(random, 4); n > 0; --n) change_value(packed, random);
        return packed;
    }

    static void change_value(std::string& text, random_source& random) {
        const std::size_t colon = text.find(':', below(random, text.size() + 1));
        if (colon == std::string::npos) return;
        const std::size_t begin = std::min(text.find_first_not_of(' ', colon + 1), text.size());
        std::size_t end = std::min(text.find_first_of(",}\n", begin), text.size());
        if (begin < text.size() && text[begin] == '"') end = std::min(text.find('"', begin + 1), text.size() - 1) + 1;
        std::string value(results_values[below(random, results_values.size())]);
        if (one_in(random, 100)) value = std::string(20'000, '[') + std::string(20'000, ']');
        text.replace(begin, end - begin, value);
    }

    const scratch_folder base_, folder_;
    const std::vector<std::string> seeds_ = corpus_seeds("results");
    const mutator mutator_{seeds_, results_tokens};
    std::optional<study> base_study_;
};

} // namespace

int main(int argc, char** argv) {
    try {
        return run("results_fuzz", parse_options(argc, argv, ""), [] { return std::make_unique<results_fuzzer>(); });
    } catch (const std::exception& e) {
        std::fprintf(stderr, "results_fuzz: %s\n", e.what());
        return 2;
    }
}
