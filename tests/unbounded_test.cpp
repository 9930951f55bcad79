// Peers that send without an end: the host and the simulator say so, stay small, and go on.
#include "server_case.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

using namespace chimera::test;

namespace {

constexpr std::size_t megabyte = 1'000'000;
#ifdef __SANITIZE_ADDRESS__
constexpr double most_megabytes = 2000; // it keeps what was freed
#else
constexpr double most_megabytes = 200;
#endif

/// Of any process that this one has started and waited for.
double peak_megabytes() {
    rusage used{};
    getrusage(RUSAGE_CHILDREN, &used);
    return static_cast<double>(used.ru_maxrss) / 1000;
}

std::string repeated(std::string_view text, std::size_t bytes) {
    std::string all;
    all.reserve(bytes + text.size());
    while (all.size() < bytes) all += text;
    return all;
}

/// `block` again and again, until the client goes or 500 MB are sent.
void flood(reply& r, const std::string& block) {
    for (std::size_t sent = 0; sent < 500 * megabyte && !r.client_gone(); sent += block.size()) r.send(block);
    r.close();
}

std::string in_chunk(std::string_view bytes) {
    std::array<char, 20> size{};
    const auto end = std::to_chars(size.data(), size.data() + size.size(), bytes.size(), 16).ptr;
    return std::string(size.data(), end) + "\r\n" + std::string(bytes) + "\r\n";
}

/// The second reply is the one without an end.
model_server::script among_good_ones(const std::string& api, std::function<void(reply&)> without_end) {
    return [api, without_end = std::move(without_end)](const asked& a, reply& r) {
        if (a.number == 1) {
            without_end(r);
        } else if (api == "ollama") {
            r.begin("application/x-ndjson");
            r.chunk(text_line(0) + last_line(nlohmann::ordered_json::object()));
            r.end();
        } else {
            r.begin("text/event-stream");
            r.chunk(text_event(0) + stop_event() + done_event);
            r.end();
        }
    };
}

/// Two runs of two agents, one after the other, with one call each, on both transports.
template <class Check>
void two_runs(const std::string& api, const std::function<void(reply&)>& without_end,
              const std::vector<std::string>& more, Check&& check) {
    for (const std::string transport : {"socket", "curl"}) {
        CAPTURE(transport);
        const temporary_folder f;
        f.write("case.toml",
                "[executor]\nplugin = \"thread_pool\"\noptions = { workers = 1 }\n[transport]\nplugin = \"" +
                    transport + "\"\n[backend]\napi = \"" + api +
                    "\"\n[workload]\nkind = \"calls\"\npermits = 1\nagents = { count = 2, template = { id = \"a\" } }\n"
                    "[measure]\nruns = 2\nwarmup = 0\nbaseline = false\ntime_limit_s = 60\n");
        const model_server server(among_good_ones(api, without_end));
        std::vector<std::string> arguments{"--profile",    (f / "case.toml").string(), "--json", "--ui",      "none",
                                           "--output-dir", (f / "results").string(),   "--url",  server.url()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const outcome o = run_host(arguments);
        INFO(o.err);
        check(o);
        CHECK(o.json()["requests"] == 4);
        CHECK(peak_megabytes() < most_megabytes);
    }
}

/// The second of four requests fails with `text`, the others succeed, and the host has stayed small.
void fails_small(const std::string& api, const std::function<void(reply&)>& without_end, const std::string& text,
                 const std::vector<std::string>& more = {}) {
    two_runs(api, without_end, more, [&](const outcome& o) {
        CAPTURE(text);
        CHECK(o.status == 1);
        const std::string all = said(o);
        CAPTURE(all);
        CHECK(holds(all, text));
        CHECK(o.json()["failed_requests"] == 1);
    });
}

/// A stream whose `block` of records comes again and again.
std::function<void(reply&)> endless(const char* type, const std::string& record, const std::string& before = {},
                                    std::vector<std::string> fields = {}) {
    return [=](reply& r) {
        r.begin(type, fields);
        if (!before.empty()) r.chunk(before);
        flood(r, in_chunk(repeated(record, 60'000)));
    };
}

std::string limit_of(std::uint64_t bytes) {
    return "the reply is longer than backend.max_reply_bytes (" + std::to_string(bytes) + " bytes)";
}

const std::vector<std::string> eight_megabytes{"--set", "backend.max_reply_bytes=8000000"};
constexpr const char* sse = "text/event-stream";
constexpr const char* ndjson = "application/x-ndjson";

std::string gzip(const std::string& bytes) {
    z_stream z{};
    deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&z, bytes.size()), '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z.avail_in = static_cast<uInt>(bytes.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    deflate(&z, Z_FINISH);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
}

} // namespace

TEST_CASE("a reply without an end fails at the limit, which is 64 MiB where the profile has none") {
    fails_small("ollama", endless(ndjson, text_line(0)), limit_of(67'108'864));
}

TEST_CASE("the limit is the profile's, whatever the reply is made of") {
    fails_small("openai", endless(sse, text_event(0)), limit_of(8'000'000), eight_megabytes);
    const std::string thought = event(choice({{"reasoning_content", "a thought "}}));
    fails_small("openai", endless(sse, thought), limit_of(8'000'000), eight_megabytes);
    const std::string call =
        event(choice({{"tool_calls", {{{"index", 0}, {"function", {{"arguments", "0123456789"}}}}}}}));
    fails_small("openai", endless(sse, call), limit_of(8'000'000), eight_megabytes);
    fails_small("openai", endless(sse, ": still at work\n\n", text_event(0)), limit_of(8'000'000), eight_megabytes);
    fails_small("ollama", endless(ndjson, "{\"heartbeat\":1}\n"), limit_of(8'000'000), eight_megabytes);
    fails_small("ollama", endless(ndjson, "\n"), limit_of(8'000'000), eight_megabytes);
}

TEST_CASE("pieces of a byte each do not get around the limit: their times take memory too") {
    fails_small(
        "ollama",
        [](reply& r) {
            r.begin(ndjson);
            flood(r, repeated("1\r\n\n\r\n", 60'000));
        },
        limit_of(8'000'000), eight_megabytes);
}

TEST_CASE("a compressed reply is counted as it decodes, and one that decodes to nothing as it is sent") {
    const std::string bomb = gzip(repeated(text_line(0), 100 * megabyte));
    REQUIRE(bomb.size() < megabyte);
    fails_small(
        "ollama", [bomb](reply& r) { r.whole("200 OK", bomb, ndjson, {"Content-Encoding: gzip"}); },
        limit_of(67'108'864));
    fails_small("ollama", endless(ndjson, gzip(""), {}, {"Content-Encoding: gzip"}), limit_of(8'000'000),
                eight_megabytes);
}

TEST_CASE("a record without an end, of a stream or as a whole body, is refused at 4 MiB") {
    const std::string many(60'000, 'a');
    fails_small("openai", endless(sse, many, R"(data: {"choices":[{"delta":{"content":")"),
                "longer than the limit of 4194304 bytes");
    fails_small(
        "ollama",
        [many](reply& r) {
            r.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n{\"response\":\"");
            flood(r, many);
        },
        "longer than the limit of 4194304 bytes");
    const std::string reason(3 * megabyte, 'r'); // short enough for a record
    two_runs(
        "ollama",
        [&](reply& r) {
            r.begin(ndjson);
            r.chunk(text_line(0) + last_line(nlohmann::ordered_json::object(), reason.c_str()));
            r.end();
        },
        {},
        [](const outcome& o) {
            CHECK(o.status == 0);
            std::uintmax_t bytes = 0;
            for (const auto& file : std::filesystem::recursive_directory_iterator(o.json()["files"].get<std::string>()))
                if (file.is_regular_file()) bytes += file.file_size();
            CHECK(bytes > 0);
            CHECK(bytes < megabyte);
        });
}

TEST_CASE("a document in place of a stream, and an error's body, are read up to 64 KiB") {
    for (const std::string api : {"openai", "ollama"}) {
        fails_small(api, endless("application/json", " 1,\n", "{\n\"choices\": [\n"), "JSON");
        fails_small(api, endless("text/html", "<p>\n", "<html>\n"), "HTML");
        fails_small(
            api,
            [](reply& r) {
                r.begin("text/plain", {}, "500 Internal Server Error");
                flood(r, in_chunk(std::string(60'000, 'e')));
            },
            "HTTP status 500");
    }
    const std::string bomb = gzip(std::string(100 * megabyte, 'e'));
    fails_small(
        "openai",
        [bomb](reply& r) { r.whole("503 Service Unavailable", bomb, "text/plain", {"Content-Encoding: gzip"}); },
        "HTTP status 503");
}

TEST_CASE("an error's body that only drips is not awaited to its end") {
    two_runs(
        "ollama",
        [](reply& r) {
            r.begin("text/plain", {}, "500 Internal Server Error");
            for (int i = 0; i < 150 && !r.client_gone(); ++i) {
                r.chunk("e");
                r.pause(200); // 30 s in all, never a second without a byte
            }
            r.close();
        },
        {},
        [](const outcome& o) {
            CHECK(o.status == 1);
            CHECK(holds(said(o), "HTTP status 500: eeee"));
            CHECK(o.took < std::chrono::seconds(20));
        });
}

TEST_CASE(
    "an agent that always has something to read holds up neither the others on its worker nor the end of the run") {
    for (const std::string transport : {"socket", "curl"}) {
        CAPTURE(transport);
        const temporary_folder f;
        f.write("case.toml",
                "[executor]\nplugin = \"thread_pool\"\noptions = { workers = 1 }\n[transport]\nplugin = \"" +
                    transport +
                    "\"\n[backend]\napi = \"ollama\"\nmax_reply_bytes = 1000000000\n"
                    "[workload]\nkind = \"calls\"\nagents = { count = 2, template = { id = \"a\" } }\n"
                    "[measure]\nruns = 1\nwarmup = 0\nbaseline = false\ntime_limit_s = 2\n");
        std::atomic<int> others{0};
        const model_server server([&](const asked& a, reply& r) {
            r.begin(ndjson);
            if (a.number == 0) return flood(r, in_chunk(repeated("{\"heartbeat\":1}\n", 60'000)));
            r.pause(300); // the first one's flood has begun
            r.chunk(text_line(0) + last_line(nlohmann::ordered_json::object()));
            r.end();
            ++others;
        });
        const outcome o =
            run_host({"--profile", (f / "case.toml").string(), "--json", "--ui", "none", "--output-dir",
                      (f / "results").string(), "--url", server.url(), "--set", "workload.calls_per_agent=1000"});
        INFO(o.err);
        CHECK(holds(o.err, "time limit"));
        CHECK(!holds(o.err, "still not stopped"));
        CHECK(others > 1); // went on beside it
    }
}

TEST_CASE("a head, chunk framing and trailers are read up to 64 KiB") {
    const std::string fields = repeated("X-A: bcdefgh\r\n", 60'000), letters(60'000, 'a');
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::vector<std::pair<std::string, std::string>> responses{
        {"HTTP/1.1 200 OK\r\n", fields},
        {"HTTP/1.1 200 OK\r\nX-A: ", letters},
        {"", repeated("HTTP/1.1 100 Continue\r\n\r\n", 60'000)},
        {chunked + "5;", letters},
        {chunked + "0\r\n", fields},
    };
    for (const auto& [first, again] : responses)
        fails_small(
            "ollama",
            [&first = first, &again = again](reply& r) {
                r.send(first);
                flood(r, again);
            },
            ""); // in the words of each transport, which tests/http_framing compares
}

// --- the simulator ---

namespace {

class simulator {
  public:
    simulator()
        : port_(free_port()), process_(simulator_program(), {"--listen", "127.0.0.1:" + std::to_string(port_)}) {
        for (int i = 0; i < 1000 && connected() < 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }

    /// A blocking connection; -1: nobody listens.
    int connected() const {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port_);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return fd;
        ::close(fd);
        return -1;
    }
    /// VmHWM.
    double megabytes() const {
        std::ifstream status("/proc/" + std::to_string(process_.pid()) + "/status");
        for (std::string line; std::getline(status, line);)
            if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1000;
        return 0;
    }
    /// The first bytes of its answer to `first` and then `again`, until that many bytes are sent or it has ended.
    std::string answer(std::string_view first, const std::string& again, std::size_t bytes) const {
        const int fd = connected();
        std::string answer;
        bool open = send_all(fd, first);
        for (std::size_t sent = 0; open && sent < bytes; sent += again.size()) open = send_all(fd, again);
        std::array<char, 4096> block;
        const auto n = ::recv(fd, block.data(), block.size(), 0);
        if (n > 0) answer.assign(block.data(), static_cast<std::size_t>(n));
        ::close(fd);
        return answer;
    }
    static bool send_all(int fd, std::string_view bytes) {
        while (!bytes.empty()) {
            const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }

  private:
    static std::uint16_t free_port() {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&at), size) == 0);
        REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0);
        ::close(fd);
        return ntohs(at.sin_port);
    }

    std::uint16_t port_;
    process process_;
};

} // namespace

TEST_CASE("chimera-sim refuses requests without an end, and stays small") {
    const simulator sim;
    const std::string post = "POST /api/generate HTTP/1.1\r\nHost: a\r\n", letters(60'000, 'a');
    const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
    const std::string fields = repeated("X-A: bcdefgh\r\n", 60'000);
    CHECK(holds(sim.answer(chunked + "5;", letters, 100 * megabyte), " 431 "));
    CHECK(holds(sim.answer(chunked + "0\r\n", fields, 100 * megabyte), " 431 "));
    CHECK(holds(sim.answer("GET /", letters, 100 * megabyte), " 431 "));
    CHECK(holds(sim.answer(post + "X-A: ", letters, 100 * megabyte), " 431 "));
    CHECK(holds(sim.answer(post, fields, 120'000), " 431 "));
    CHECK(holds(sim.answer(post + "Content-Length: 99999999999\r\n\r\n", letters, 100 * megabyte), " 413 "));
    CHECK(sim.megabytes() < 30);
    CHECK(holds(sim.answer(chunked, in_chunk(letters), 200 * megabyte), " 413 "));
    CHECK(holds(sim.answer("GET /api/version HTTP/1.1\r\n\r\n", "", 0), " 200 "));
    CHECK(sim.megabytes() < most_megabytes);
}

TEST_CASE("chimera-sim stops reading from who does not read its answers") {
    const simulator sim;
    const int fd = sim.connected();
    const std::string requests = repeated("GET /api/version HTTP/1.1\r\nHost: a\r\n\r\n", 60'000);
    std::size_t sent = 0;
    for (pollfd p{fd, POLLOUT, 0}; sent<200 * megabyte&& ::poll(&p, 1, 500)> 0;) {
        const auto n = ::send(fd, requests.data(), requests.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0) break;
        sent += static_cast<std::size_t>(n);
    }
    CHECK(sent < 100 * megabyte); // what the kernel takes
    CHECK(sim.megabytes() < 30);
    ::close(fd);
}

TEST_CASE("chimera-sim keeps 256 MiB of unfinished requests, and refuses what is more") {
    const simulator sim;
    const std::string head = "POST /api/generate HTTP/1.1\r\nContent-Length: 67000000\r\n\r\n";
    const std::string block(60 * megabyte, 'a');
    std::vector<int> open;
    int refused = 0;
    for (int i = 0; i < 8; ++i) {
        const int fd = open.emplace_back(sim.connected());
        simulator::send_all(fd, head);
        simulator::send_all(fd, block);
        std::array<char, 200> bytes{};
        pollfd p{fd, POLLIN, 0};
        if (::poll(&p, 1, i < 4 ? 0 : 10'000) > 0 && ::recv(fd, bytes.data(), bytes.size() - 1, 0) > 0)
            refused += holds(bytes.data(), " 503 ") ? 1 : 0;
    }
    CHECK(refused == 4);
    CHECK(sim.megabytes() < 600); // buffers grow by doubling
    CHECK(holds(sim.answer("GET /api/version HTTP/1.1\r\n\r\n", "", 0), " 200 "));
    for (const int fd : open) ::close(fd);
}

TEST_CASE("chimera-sim answers beside a thousand connections that never finish a request") {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    const simulator sim;
    std::vector<int> open;
    for (int i = 0; i < 1000; ++i) {
        const int fd = open.emplace_back(sim.connected());
        REQUIRE(fd >= 0);
        simulator::send_all(fd, i % 2 == 0 ? "" : "POST /api/gen");
    }
    CHECK(holds(sim.answer("GET /api/version HTTP/1.1\r\n\r\n", "", 0), " 200 "));
    CHECK(sim.megabytes() < 50);
    for (const int fd : open) ::close(fd);
}
