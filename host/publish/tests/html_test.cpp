#include "neutral_text.hpp"
#include "publish/publish.hpp"
#include "temporary_folder.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;
using namespace chimera::test;
using json = nlohmann::ordered_json;

namespace {

const std::string head = R"(<script type="application/json" id="report">)";
const std::string tail = "</script><script>draw()</script>";

struct page_file {
    temporary_folder folder;
    std::filesystem::path path = folder.write("report.html", head + "{{report}}" + tail);
};

std::string message_of(const std::filesystem::path& page) {
    try {
        to_html(json::object(), page);
    } catch (const std::runtime_error& e) {
        return e.what();
    }
    return {};
}

} // namespace

TEST_CASE("what a report holds cannot end the element that it stands in") {
    const page_file page;
    const json report = {{"message", "</script><!--<script>alert(1)</script> \u2028 \u00e4 {{report}}"}};
    const std::string html = to_html(report, page.path);
    REQUIRE(html.starts_with(head));
    REQUIRE(html.ends_with(tail));
    const std::string data = html.substr(head.size(), html.size() - head.size() - tail.size());
    CHECK(data.find('<') == std::string::npos);
    CHECK(data.find("\u2028") == std::string::npos);
    CHECK(json::parse(data) == json{{"message", "</script><!--<script>alert(1)</script> \\u{2028} \u00e4 {{report}}"}});
}

TEST_CASE("bytes that are not UTF-8 do not cost the report") {
    const page_file page;
    const std::string html = to_html({{"message", "bad \xff byte"}}, page.path);
    CHECK(html.find(R"({"message":"bad \\xff byte"})") != std::string::npos);
}

TEST_CASE("marks of direction and control characters are shown in a page") {
    const page_file page;
    const std::string said = hostile_text();
    const std::string why = fault_in_page(to_html({{said, {said, 1, nullptr}}}, page.path), head, tail);
    CHECK_MESSAGE(why.empty(), why);
}

TEST_CASE("a page that is not there is named, with what makes it") {
    const temporary_folder folder;
    const std::string message = message_of(folder / "report.html");
    CHECK(message.find((folder / "report.html").string()) != std::string::npos);
    CHECK(message.find("./dev build") != std::string::npos);
    CHECK(message.find("npm") != std::string::npos);
}

TEST_CASE("a file that is not the page is refused") {
    const temporary_folder folder;
    CHECK(message_of(folder.write("none.html", "<html></html>")).find("not the page of the HTML report") !=
          std::string::npos);
    CHECK(message_of(folder.write("two.html", "{{report}} {{report}}")).find("not the page") != std::string::npos);
}

TEST_CASE("the page is looked for beside the folder of the program") {
    const auto program = std::filesystem::read_symlink("/proc/self/exe");
    CHECK(report_page() == program.parent_path().parent_path() / "share" / "chimera" / "report.html");
}
