// `--metrics-port` and [alerts]: the figures during a campaign agree with the files at its end.
#include "host_process.hpp"
#include "prometheus_page.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace chimera::test;
using nlohmann::json;

namespace {

/// One call of 60 tokens for each agent, in 0.3 s.
const std::vector<std::string> short_calls{"--set",    "workload.kind=calls",
                                           "--set",    "backend.simulator.reply_tokens_min=60",
                                           "--set",    "backend.simulator.reply_tokens_max=60",
                                           "--set",    "backend.simulator.decode_tokens_per_s=200",
                                           "--set",    "backend.simulator.load_ms=0",
                                           "--warmup", "0"};

std::vector<std::string> with(std::vector<std::string> more) {
    more.insert(more.begin(), short_calls.begin(), short_calls.end());
    return more;
}

std::vector<json> lines_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::vector<json> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
    return lines;
}

std::string url_in(const std::string& text) {
    const std::string before = "metrics: ";
    const auto at = text.find(before) + before.size();
    return text.substr(at, text.find('\n', at) - at);
}

} // namespace

TEST_CASE("what is scraped during a campaign only grows, and is what the files of its first run say") {
    const temporary_folder results;
    std::vector<std::string> arguments =
        with({"--profile", profile_path("smol1kb").string(), "--ui", "none", "--json", "--output-dir",
              results.path().string(), "--metrics-port", "0", "--runs", "2"});
    process host(host_program(), arguments);
    host.wait_for_error_text("/metrics\n");
    const std::string url = url_in(host.error_text());
    CHECK(url.starts_with("http://127.0.0.1:"));

    const std::string complete = R"(chimera_runs_total{status="complete"})";
    const std::string together = R"(chimera_requests_total{execution="together",status="ok"})";
    const std::string alone = R"(chimera_requests_total{execution="alone",status="ok"})";
    prometheus_page last, after_first_run;
    double most_at_work = 0;
    while (const auto page = scrape(url)) {
        for (const auto& [series, value] : last)
            if (series.starts_with("chimera_") && series.find("at_work") == std::string::npos)
                CHECK_MESSAGE(page->at(series) >= value, series);
        last = *page;
        most_at_work = std::max(most_at_work, last.at("chimera_agents_at_work"));
        if (last.at(complete) == 1 && last.at(together) == 2 && last.at(alone) == 2) after_first_run = last;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    const outcome o = host.wait();
    REQUIRE_MESSAGE(o.status == 0, o.err);
    CHECK(most_at_work == 2);
    CHECK(last.at("process_resident_memory_bytes") > 1e6);
    REQUIRE_FALSE(after_first_run.empty());

    double ttft = 0, e2e = 0, gaps = 0, pieces = 0, tokens = 0, delay = 0;
    const auto folder = std::filesystem::path(o.json()["files"].get<std::string>());
    for (const json& r : lines_of(folder / "run_1/requests.jsonl")) {
        tokens += r["tokens"].get<double>();
        if (r["execution"] != "together") continue;
        ttft += (r["first_token_ns"].get<double>() - r["dispatched_ns"].get<double>()) / 1e9;
        e2e += (r["done_ns"].get<double>() - r["dispatched_ns"].get<double>()) / 1e9;
        gaps += r["tokens"].get<double>() - 1;
        for (const json& p : r["pieces"]) {
            ++pieces;
            delay += (p[1].get<double>() + p[2].get<double>() + p[5].get<double>()) / 1e9;
        }
    }
    const auto value = [&](const char* name) {
        return after_first_run.at("chimera_" + std::string(name) + R"({execution="together"})");
    };
    CHECK(value("ttft_seconds_count") == 2);
    CHECK(value("ttft_seconds_sum") == doctest::Approx(ttft));
    CHECK(value("e2e_seconds_sum") == doctest::Approx(e2e));
    CHECK(value("itl_seconds_count") == gaps);
    CHECK(value("delivery_delay_seconds_count") == pieces);
    CHECK(value("delivery_delay_seconds_sum") == doctest::Approx(delay));
    CHECK(after_first_run.at("chimera_tokens_total") >= tokens); // the second run may have begun
    CHECK(after_first_run.at("chimera_tokens_total") < 2 * tokens);
}

TEST_CASE("requests that fail are counted while it runs") {
    const temporary_folder results;
    process host(host_program(), with({"--profile", profile_path("smol1kb").string(), "--ui", "none", "--output-dir",
                                       results.path().string(), "--metrics-port", "0", "--runs", "2", "--set",
                                       "backend.simulator.fault=status_503,requests=1"}));
    host.wait_for_error_text("/metrics\n");
    const std::string url = url_in(host.error_text());
    prometheus_page last;
    while (const auto page = scrape(url)) {
        last = *page;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    CHECK(host.wait().status == 1);
    double failed = 0;
    for (const auto& [series, value] : last)
        if (series.starts_with("chimera_request_errors_total") && series.find("http_status") != std::string::npos)
            failed += value;
    CHECK(failed == 2); // the first request to each of two simulators
}

TEST_CASE("a port that is taken and an address that is none are refused before anything runs") {
    const temporary_folder results;
    process first(host_program(), with({"--profile", profile_path("smol1kb").string(), "--ui", "none", "--output-dir",
                                        results.path().string(), "--metrics-port", "0", "--runs", "5"}));
    first.wait_for_error_text("/metrics\n");
    const std::string url = url_in(first.error_text());
    const std::string port = url.substr(url.rfind(':') + 1, url.rfind('/') - url.rfind(':') - 1);
    const temporary_folder others;
    const outcome second = run_profile(others, "smol1kb", {"--metrics-port", port});
    CHECK(second.status == 3);
    CHECK(second.err.find("127.0.0.1:" + port) != std::string::npos);
    CHECK(second.err.find("in use") != std::string::npos);
    CHECK(std::filesystem::is_empty(others.path()));
    CHECK(run_profile(others, "smol1kb", {"--metrics-port", "70000"}).status == 2);
    CHECK(run_profile(others, "smol1kb", {"--metrics-port", "0", "--metrics-address", "localhost,1"}).status == 2);
}

TEST_CASE("hundreds of idle connections keep no scrape out, and do not take the run's descriptors") {
    const temporary_folder results;
    process host(host_program(), with({"--profile", profile_path("smol1kb").string(), "--ui", "none", "--output-dir",
                                       results.path().string(), "--metrics-port", "0", "--runs", "2"}));
    host.wait_for_error_text("/metrics\n");
    const std::string url = url_in(host.error_text());
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::vector<int> idle;
    for (int i = 0; i < 500; ++i) {
        const int fd = idle.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
        if (i % 2 == 0) CHECK(::send(fd, "GET /met", 8, MSG_NOSIGNAL) == 8);
    }
    CHECK(scrape(url));
    const std::filesystem::directory_iterator files("/proc/" + std::to_string(host.pid()) + "/fd");
    CHECK(std::distance(begin(files), end(files)) < 200);
    CHECK(host.wait().status == 0);
    for (const int fd : idle) ::close(fd);
}

TEST_CASE("an IPv6 address, with and without brackets") {
    for (const std::string address : {"::1", "[::1]"}) {
        const temporary_folder results;
        process host(host_program(), with({"--profile", profile_path("smol1kb").string(), "--ui", "none",
                                           "--output-dir", results.path().string(), "--metrics-port", "0",
                                           "--metrics-address", address, "--runs", "1"}));
        if (std::ifstream("/proc/net/if_inet6").peek() == EOF) {
            CHECK(host.wait().status == 3);
            continue;
        }
        host.wait_for_error_text("/metrics\n");
        const std::string url = url_in(host.error_text());
        CHECK(url.starts_with("http://[::1]:"));
        CHECK(scrape(url));
        CHECK(host.wait().status == 0);
    }
}

TEST_CASE("an alert warns during a run and at its end, and fails the campaign only when asked") {
    const temporary_folder results;
    // 2 agents x 20 calls: more than the 20 samples that a warning takes, in one run.
    const std::vector<std::string> many =
        with({"--runs", "1", "--set", "measure.baseline=false", "--set", "workload.calls_per_agent=20", "--set",
              "backend.simulator.reply_tokens_min=5", "--set", "backend.simulator.reply_tokens_max=5"});
    const auto run = [&](std::vector<std::string> more) {
        more.insert(more.begin(), many.begin(), many.end());
        return run_profile(results, "smol1kb", more);
    };
    const outcome warned = run({"--set", "alerts.ttft_p95_ms=0.001", "--set", "alerts.e2e_p95_ms=60000"});
    CHECK(warned.status == 0);
    CHECK(warned.err.find("alert ttft_p95_ms: so far 20 of 20 samples are above 0.001 ms") != std::string::npos);
    const json alerts = warned.json()["alerts"];
    REQUIRE(alerts.size() == 2);
    CHECK(alerts[0]["tripped"] == true);
    CHECK(alerts[0]["samples"] == 40);
    CHECK(alerts[0]["value"] == warned.json()["metrics"]["ttft_ms"]["p95"]);
    CHECK(alerts[1]["tripped"] == false);

    const outcome failed = run({"--set", "alerts.ttft_p95_ms=0.001", "--set", "alerts.fail=true"});
    CHECK(failed.status == 1);
    CHECK(failed.json()["config_hash"] == warned.json()["config_hash"]);
    CHECK(failed.json()["files"] == warned.json()["files"]);
    CHECK(run({"--set", "alerts.ttft_p95_ms=60000", "--set", "alerts.fail=true"}).status == 0);
}
