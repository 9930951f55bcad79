// `sweep --live-page N`: the HTML report on a sweep that runs, in a browser on this machine.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace chimera::host {

/// Serves three pages on 127.0.0.1, on its own thread, from construction to destruction:
///   /             the page of the HTML report with the report on what is on disk so far
///   /report.json  that report
///   /status.json  how far the sweep is (sweep/status.hpp)
/// Everything is read from the sweep's folder. A report is made when it is asked for and the journal has changed, and
/// never for more than a tenth of the time, at the lowest priority: it must not disturb what is measured.
class live_page {
  public:
    /// folder: the sweep's; it need not be there yet. port 0: any free port. generated_by: program and version. Throws
    /// std::runtime_error when it cannot listen, or when the page of the report is not installed.
    live_page(std::filesystem::path folder, int port, std::string generated_by);
    ~live_page();
    live_page(const live_page&) = delete;
    live_page& operator=(const live_page&) = delete;

    /// "http://127.0.0.1:8080/", with the real port.
    const std::string& url() const noexcept;

  private:
    struct pages;
    std::unique_ptr<pages> pages_;
};

} // namespace chimera::host
