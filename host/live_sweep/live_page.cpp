#include "live_sweep/live_page.hpp"

#include "live/page_server.hpp"
#include "publish/publish.hpp"
#include "study/analysis.hpp"
#include "sweep/status.hpp"

#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;

/// Of the time since the last report was begun, a new one may take this part.
constexpr int part_of_time = 10;

/// A browser asks for the page again after this time.
constexpr int refresh_s = 5;

std::string with_refresh(std::string page) {
    constexpr std::string_view place = "<head>";
    const std::size_t at = page.find(place);
    if (at == std::string::npos) return page;
    return page.insert(at + place.size(), fmt::format("<meta http-equiv=\"refresh\" content=\"{}\">", refresh_s));
}

/// Before the first cell is done there is nothing to report on.
std::string waiting_page(const std::string& why) {
    std::string text;
    for (const char c : why) c == '<' ? text += "&lt;" : c == '&' ? text += "&amp;" : text += c;
    return with_refresh("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>chimera</title></head>"
                        "<body><p>No cell of this sweep is done yet.</p><p>" +
                        text + "</p></body></html>\n");
}

} // namespace

struct live_page::pages {
    pages(fs::path sweep, int port, std::string by) : folder(std::move(sweep)), generated_by(std::move(by)) {
        static_cast<void>(to_html(json::object(), page)); // it is there and is the page
        server.emplace(
            page_place{.option = "--live-page",
                       .address = "127.0.0.1",
                       .port = port,
                       .only_local_names = true,
                       .lowest_priority = true},
            std::vector<served_page>{
                {"/", "text/html; charset=utf-8", [this] { return html(); }},
                {"/report.json", "application/json", [this] { return json_text(document()); }},
                {"/status.json", "application/json", [this] { return json_text(to_json(read_status(folder))); }},
            });
    }

    std::string html() {
        const json shown = document();
        if (shown["kind"] != "report") return waiting_page(shown["why"].get<std::string>());
        return to_html(shown, page); // it renews itself
    }

    /// The report, with the status as its member "live". Before the first cell is done: why there is none.
    json document() {
        try {
            const sweep_status status = read_status(folder);
            renew();
            json out = *report;
            out["live"] = to_json(status);
            return out;
        } catch (const results_error& e) {
            return {{"kind", "no_report"}, {"why", e.what()}};
        }
    }

    void renew() {
        std::error_code ignored;
        const auto changed = fs::last_write_time(folder / "cells.jsonl", ignored);
        const bool is_current = report && changed == seen;
        if (!is_current && clock::now() - begun >= took * part_of_time) {
            begun = clock::now();
            failure = nullptr;
            try {
                study s = load_study(folder);
                read_requests(s);
                report = to_json(report_of(s, generated_by));
                seen = changed;
            } catch (...) { // it took its time too
                failure = std::current_exception();
            }
            took = clock::now() - begun;
        }
        if (failure) std::rethrow_exception(failure);
    }

    const fs::path folder;
    const std::string generated_by;
    const fs::path page = report_page();
    // Of the server's thread:
    std::optional<json> report;
    std::exception_ptr failure; // of the latest try
    fs::file_time_type seen{};
    clock::time_point begun{};
    clock::duration took{};
    std::optional<page_server> server; // goes first: what it serves outlives it
};

live_page::live_page(fs::path folder, int port, std::string generated_by)
    : pages_(std::make_unique<pages>(std::move(folder), port, std::move(generated_by))) {}

live_page::~live_page() = default;

const std::string& live_page::url() const noexcept { return pages_->server->url(); }

} // namespace chimera::host
