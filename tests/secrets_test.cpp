// The API key and other secrets reach no file, no output, no child and no list of processes.
#include "host_process.hpp"
#include "model_server.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

using namespace chimera::test;
namespace fs = std::filesystem;

namespace {

const std::string key = "sk-Zq7/Wx+9&Vk<5-Jh3Gf8Tr1";

const std::vector<std::string> short_run{"--runs", "1", "--warmup", "0", "--set", "workload.kind=calls"};

std::vector<std::string> with(std::vector<std::string> more) {
    more.insert(more.end(), short_run.begin(), short_run.end());
    return more;
}

std::string base64(const std::string& bytes) {
    const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        unsigned group = 0;
        for (std::size_t j = 0; j < 3; ++j)
            group = group << 8U | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
        for (std::size_t j = 0; j < 4; ++j) out += i + j > bytes.size() ? '=' : alphabet[group >> (18 - 6 * j) & 63U];
    }
    return out;
}

/// Each byte of a text, or only the bytes that are not letters or digits, between these and as two hexadecimal digits.
std::string escaped(const std::string& text, const std::string& before, const std::string& after, bool all) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (all || !std::isalnum(byte))
            out += before + digits[byte >> 4U] + digits[byte & 15U] + after;
        else
            out += c;
    }
    return out;
}

/// How a server may send the key back, by name. JSON is made of them afterwards.
std::vector<std::pair<std::string, std::string>> encodings() {
    std::string url_alphabet = base64(key), upper = key;
    std::ranges::replace(url_alphabet, '+', '-');
    std::ranges::replace(url_alphabet, '/', '_');
    std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return {{"exact", key},
            {"base64", base64(key)},
            {"base64 for URLs", url_alphabet},
            {"base64 of Bearer and the key", base64("Bearer " + key)},
            {"base64 of a user and the key", base64("me:" + key)},
            {"URL", escaped(key, "%", "", false)},
            {"URL, every byte", escaped(key, "%", "", true)},
            {"URL, twice", escaped(key, "%25", "", false)},
            {"JSON", escaped(key, "\\u00", "", false)}, // in a JSON string: a backslash that is escaped once more
            {"hex", escaped(key, "", "", true)},
            {"HTML", escaped(key, "&#x", ";", false)},
            {"upper case", upper},
            {"backwards", {key.rbegin(), key.rend()}},
            {"shortened to its first half and more", key.substr(0, 16) + "..."}};
}

/// Pieces of a text that no other text of a run has: of every 6 letters and digits that stand together.
std::set<std::string> pieces_of(const std::string& text) {
    std::set<std::string> out;
    for (std::size_t i = 0; i + 6 <= text.size(); ++i) {
        const std::string piece = text.substr(i, 6);
        if (std::ranges::all_of(piece, [](unsigned char c) { return std::isalnum(c) != 0; })) out.insert(piece);
    }
    return out;
}

std::string text_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Everything that a run left and printed.
std::string all_of(const outcome& o, const fs::path& folder) {
    std::string all = o.out + o.err;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file()) all += entry.path().string() + '\n' + text_of(entry.path());
    return all;
}

/// The part of an encoded key that a text holds, or an empty string. Base64 and hex are hidden with the word around
/// them; of other encodings single characters may stay.
std::string found(const std::string& encoded, const std::string& all) {
    for (const std::string& piece : pieces_of(encoded))
        if (all.find(piece) != std::string::npos) return piece;
    return {};
}

std::string proc(pid_t pid, const char* name) { return text_of(fs::path("/proc") / std::to_string(pid) / name); }

std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> out;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (!std::ranges::all_of(name, [](unsigned char c) { return std::isdigit(c) != 0; })) continue;
        const std::string status = text_of(entry.path() / "status");
        const auto at = status.find("PPid:\t");
        if (at != std::string::npos && std::stoi(status.substr(at + 6)) == parent) out.push_back(std::stoi(name));
    }
    return out;
}

} // namespace

TEST_CASE("a key that a server sends back, in fourteen forms, as an error and as text, is nowhere to be found") {
    for (const auto& [name, encoded] : encodings()) {
        CAPTURE(name);
        int asked_with_key = 0;
        const auto answer = [&, encoded = encoded](const asked& a, reply& r) {
            if (a.headers.find("Authorization: Bearer " + key) != std::string::npos) ++asked_with_key;
            const nlohmann::json said = "invalid key: " + encoded + " end";
            if (a.number % 2 == 0) {
                r.whole("401 Unauthorized", R"({"error":)" + said.dump() + "}");
                return;
            }
            r.begin("text/event-stream");
            r.chunk("data: {\"choices\":[{\"delta\":{\"content\":" + said.dump() + "}}]}\n\n");
            r.chunk("data: {\"choices\":[{\"delta\":{\"reasoning_content\":" + said.dump() + "}}]}\n\n");
            r.chunk("data: {\"choices\":[{\"delta\":{\"content\":\"more\"},\"finish_reason\":" + said.dump() +
                    "}]}\n\n");
            r.chunk("data: [DONE]\n\n");
            r.end();
        };
        const auto about = [encoded = encoded](const asked&, reply& r) {
            r.whole("200 OK", nlohmann::json{{"version", "key: " + encoded + " end"}}.dump());
        };
        const model_server server(answer, about);
        for (const std::string transport : {"curl", "socket"}) {
            CAPTURE(transport);
            const temporary_folder f;
            const outcome o =
                run_profile(f, "openai",
                            with({"--api-key", key, "--url", server.url(), "--set", "transport.plugin=" + transport,
                                  "--trace", (f.path() / "trace.json").string()}));
            const std::string all = all_of(o, f.path());
            CHECK(all.find("invalid key: ***") != std::string::npos);
            CHECK(all.find(R"("version": "key: ***)") != std::string::npos); // of the server, in the provenance
            CHECK(found(encoded, all) == "");
            CHECK(found(key, all) == "");
        }
        CHECK(asked_with_key >= 4);
    }
}

TEST_CASE("a sweep takes a key, its cells send it, and it is in no file and no list of processes") {
    const temporary_folder f;
    std::atomic<int> with_key{0}, without_key{0};
    model_server server([&](const asked& a, reply& r) {
        ++(a.headers.find("Authorization: Bearer " + key) != std::string::npos ? with_key : without_key);
        r.pause(1500);
        r.begin("application/x-ndjson");
        r.chunk("{\"response\":\"a \",\"done\":false}\n{\"response\":\"b\",\"done\":true,\"done_reason\":\"stop\"}\n");
        r.end();
    });
    const auto sweep = f.write("keyed.toml", R"(
name = "keyed"
[executor]
plugin = "thread_pool"
[transport]
plugin = "socket"
[workload]
kind = "calls"
prompts = ["count"]
[measure]
runs = 1
warmup = 0
baseline = false
[sweep]
[[sweep.runtimes]]
name = "pool"
)");
    const fs::path key_file = f.path() / "key", results = f.path() / "results";
    std::ofstream(key_file) << key << "\n";
    for (const std::vector<std::string>& given :
         {std::vector<std::string>{"--api-key", key}, {"--api-key=" + key}, {"--api-key-file", key_file.string()}}) {
        CAPTURE(given[0]);
        with_key = without_key = 0;
        fs::remove_all(results);
        std::vector<std::string> arguments{"sweep",      "--profile",    sweep.string(),  "--url",
                                           server.url(), "--output-dir", results.string()};
        arguments.insert(arguments.end(), given.begin(), given.end());
        process host(host_program(), arguments);
        for (int i = 0; i < 500 && with_key + without_key == 0; ++i) usleep(10'000);
        const std::vector<pid_t> cells = children_of(host.pid());
        CHECK(cells.size() == 1);
        for (const pid_t cell : cells) {
            CHECK(proc(cell, "cmdline").find(key) == std::string::npos);
            CHECK(proc(cell, "environ").find(key) == std::string::npos);
        }
        CHECK(proc(host.pid(), "cmdline").find(key) == std::string::npos);
        const outcome o = host.wait();
        CHECK_MESSAGE(o.status == 0, o.err);
        CHECK(with_key > 0);
        CHECK(without_key == 0);
        CHECK(found(key, all_of(o, results)) == "");
    }
}

TEST_CASE("simulators and plugins get no key from the environment, and other processes cannot read the host's memory") {
    const temporary_folder f;
    setenv("CHIMERA_API_KEY", key.c_str(), 1);
    process host(host_program(),
                 {"--profile", profile_path("smol1kb").string(), "--ui", "plain", "--output-dir", f.path().string()});
    unsetenv("CHIMERA_API_KEY");
    host.wait_for_error_text("warm-up");
    const std::vector<pid_t> simulators = children_of(host.pid());
    CHECK(simulators.size() == 2);
    for (const pid_t simulator : simulators) {
        CHECK(proc(simulator, "environ").find("PATH=") != std::string::npos);
        CHECK(proc(simulator, "environ").find(key) == std::string::npos);
    }
    CHECK(proc(host.pid(), "environ").find(key) == std::string::npos);
    struct stat status {};
    REQUIRE(stat(("/proc/" + std::to_string(host.pid()) + "/environ").c_str(), &status) == 0);
    CHECK(status.st_uid == 0); // as of every process that is not dumpable
    host.signal(SIGINT);
    CHECK(host.wait().status == 130);
}

TEST_CASE("no error repeats what follows the name of a secret, or what a URL holds in secret") {
    const std::string profile = profile_path("smol1kb").string();
    const std::string secret = "PASSWORD-" + key;
    for (const std::vector<std::string>& arguments : {
             std::vector<std::string>{"run", "--api-kay", secret, "--profile", profile},
             {"run", "--api-kay=" + secret, "--profile", profile},
             {"sweep", "--profile", profile, "--api-key", secret, "--no-such-option"},
             {"plugins", "--api-key", secret},
             {"plugins", "--token", secret},
             {"--api-key", secret, "plugins"},
             {"run", "--profile", profile, "--url", "http://me:" + secret + "@127.0.0.1:1"},
             {"run", "--profile", profile, "--url", "http://me:a b" + secret + "@127.0.0.1:1"},
             {"run", "--profile", profile, "--url", "http://127.0.0.1:1/?key=" + secret},
             {"run", "--profile", profile, "--url", "http://127.0.0.1:1/#" + secret},
             {"run", "--profile", profile, "--set", "backend.urls=[\"http://me:" + secret + "@127.0.0.1:1\"]"},
             {"run", "--profile", profile, "--set", "transport.options.proxy=http://me:" + secret + "@127.0.0.1:1"},
             {"run", "--profile", profile, "--set", "transport.plugin=curl", "--set",
              "transport.options.proxy=http://me:" + secret + "@h:1"},
             {"run", "--profile", profile, "--set", "backend.api_key=" + secret},
             {"run", "--profile", profile, "--set", "backend.body={user=\"x\",api_key=\"" + secret + "\"}"},
             {"run", "--profile", profile, "--set", "backend.headers={Authorization=\"" + secret + "\"}"},
             {"run", "--profile", profile, "--set", "backend.headers.Ocp-Apim-Subscription-Key=" + secret},
             {"run", "--profile", profile, "--set", "backend.path=/x?a=b&api_key=" + secret},
             {"run", "--profile", profile, "--set", "transport.plugin=curl", "--set",
              "transport.options.proxy=me:" + secret + "@h:1"},
             {"run", "--profile", profile, "--url", "me:" + secret + "@h"},
             {"run", "--profile", profile, "--url", "//me:" + secret + "@h"},
             {"run", "--profile", profile, "--api-key" + secret},
             {"run", "--profile", profile, "api-key=" + secret},
             {"run", "--profile", profile, "\u2014api-key", secret},
             {"run", "--profile", profile, "--api-key-file", "PASSWORD-no-such-file"},
             {"run", "--profile", profile, "--api-key", "--json"},
             {"run", "--profile", profile, "--api-key", ""},
             {"run", "--profile", profile, "--set", "backend.headers.X-Api-Key=" + secret},
             {"run", "--profile", profile, "--api-key", secret + "\n"},
             {"run", "--profile", profile, "--api-key", secret, "--api-key-file", "/none"},
         }) {
        std::string line;
        for (const std::string& word : arguments) line += word + ' ';
        CAPTURE(line);
        const outcome o = run_host(arguments);
        CHECK(o.status == 2);
        CHECK(!o.err.empty());
        CHECK_MESSAGE(o.err.find("PASSWORD") == std::string::npos, o.err);
        CHECK(found(key, o.out + o.err) == "");
    }
    CHECK(run_host({"run", "--api-kay", secret}).err.find("did you mean \"--api-key\"?") != std::string::npos);
}

TEST_CASE("a key file that holds something else is refused by name") {
    const temporary_folder f;
    const std::string profile = profile_path("smol1kb").string();
    const auto refused = [&](const std::string& file, const std::string& why) {
        const outcome o = run_host({"run", "--profile", profile, "--api-key-file", file, "--dry-run"});
        CHECK(o.status == 2);
        CHECK_MESSAGE(o.err.find(file) != std::string::npos, o.err);
        CHECK_MESSAGE(o.err.find(why) != std::string::npos, o.err);
    };
    refused((f.path() / "none").string(), "No such file");
    refused(f.path().string(), "directory");
    refused(f.write("empty", "\n").string(), "empty");
    refused(f.write("two", "a\nb\n").string(), "more than one line");
    refused("/dev/zero", "more than");
    const outcome blank =
        run_host({"run", "--profile", profile, "--dry-run", "--api-key-file", f.write("blank", "a key\n").string()});
    CHECK(blank.status == 2);
    CHECK_MESSAGE(blank.err.find("character 2") != std::string::npos, blank.err);
    // A pipe, as of <(pass show key).
    const outcome piped =
        process("/bin/sh",
                {"-c", "printf 'k-123456789' | \"$0\" run --profile \"$1\" --dry-run --api-key-file /dev/stdin",
                 host_program().string(), profile})
            .wait();
    CHECK_MESSAGE(piped.status == 0, piped.err);
}
