// write_report_page REPORT.json PAGE.html: what chimera-host does with a report document, without a study behind it.
#include "publish/publish.hpp"

#include <exception>
#include <fstream>
#include <iostream>

int main(int argc, char** argv) {
    try {
        if (argc != 3) throw std::runtime_error("usage: write_report_page REPORT.json PAGE.html");
        std::ifstream in(argv[1]);
        const std::string html =
            chimera::host::to_html(nlohmann::ordered_json::parse(in), chimera::host::report_page());
        if (!(std::ofstream(argv[2], std::ios::binary) << html).flush())
            throw std::runtime_error("cannot write the page");
        return 0;
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
