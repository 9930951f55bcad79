#include <chrono>
#include <thread>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "http_client.hpp"
#include "sim_process.hpp"

using namespace chimera::sim::test;

namespace {

const std::string body = R"({"model":"m","prompt":"x","options":{"num_predict":5}})";
const std::vector<std::string> fast{"--decode-tokens-per-s", "0", "--prefill-tokens-per-s", "0", "--load-ms", "0"};

/// Waits (at most five seconds) for a counter to reach a value.
bool reaches(std::uint16_t port, const char* counter, std::uint64_t value) {
    for (int i = 0; i < 500; ++i) {
        if (read_stats(port).at(counter) == value) {
            return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

} // namespace

TEST_CASE("one connection serves request after request") {
    sim_process sim(fast);
    http_client client(sim.port());
    for (int i = 0; i < 20; ++i) {
        const auto r = client.post("/api/generate", body);
        REQUIRE(r.complete);
        CHECK(r.records().size() == 6);
    }
    CHECK(client.get("/chimera/stats").json().at("connections_accepted") == 1);
}

TEST_CASE("pipelined requests are answered in order") {
    sim_process sim(fast);
    http_client client(sim.port());
    std::string all;
    for (int i = 1; i <= 30; ++i) {
        all += post_text("/api/generate",
                         fmt::format(R"({{"model":"m","prompt":"x","options":{{"num_predict":{}}}}})", i));
        all += "GET /api/version HTTP/1.1\r\nHost: sim\r\n\r\n";
    }
    client.send(all);
    for (std::size_t i = 1; i <= 30; ++i) {
        CHECK(client.read_response().records().size() == i + 1);
        CHECK(client.read_response().json().contains("version"));
    }
}

TEST_CASE("requests sent before the client ended its side are answered, and then the connection ends") {
    sim_process sim(fast);
    http_client client(sim.port());
    client.send(post_text("/api/generate", body) + "GET /api/version HTTP/1.1\r\nHost: sim\r\n\r\n");
    CHECK(client.read_response().records().size() == 6);
    client.shut_sending();
    CHECK(client.read_response().json().contains("version"));
    CHECK(client.ends());
    CHECK(reaches(sim.port(), "connections_open", 1));
}

TEST_CASE("a request that comes in pieces is served") {
    sim_process sim(fast);
    http_client client(sim.port());
    const auto text = post_text("/api/generate", body);
    for (const char c : text) {
        client.send({&c, 1});
        std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    CHECK(client.read_response().records().size() == 6);
}

TEST_CASE("a prompt of many megabytes, sent in chunks, is served") {
    sim_process sim(fast);
    http_client client(sim.port());
    const auto big = R"({"model":"m","prompt":")" + std::string(8'000'000, 'x') +
                     R"(","options":{"num_predict":5,"num_ctx":9000000}})";
    client.send(fmt::format("POST /api/generate HTTP/1.1\r\nHost: sim\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
                            big.size()));
    client.send(big);
    client.send("\r\n0\r\n\r\n");
    const auto r = client.read_response();
    REQUIRE(r.complete);
    CHECK(nlohmann::json::parse(r.records().back()).at("prompt_eval_count") == 2'000'000);
}

TEST_CASE("a client that waits for 100 Continue gets it") {
    sim_process sim(fast);
    http_client client(sim.port());
    client.send(fmt::format("POST /api/generate HTTP/1.1\r\nHost: sim\r\nExpect: 100-continue\r\n"
                            "Content-Length: {}\r\n\r\n",
                            body.size()));
    CHECK(client.read_response(true).status == 100);
    client.send(body);
    CHECK(client.read_response().records().size() == 6);
}

TEST_CASE("Connection: close ends the connection after the reply") {
    sim_process sim(fast);
    http_client client(sim.port());
    const auto r = client.post("/api/generate", body, "Connection: close\r\n");
    CHECK(r.complete);
    CHECK(r.has_header("Connection: close\r\n"));
    CHECK(client.ends());
}

TEST_CASE("an HTTP/1.0 client gets a reply without chunks that ends with the connection") {
    sim_process sim(fast);
    http_client client(sim.port());
    client.send(fmt::format("POST /api/generate HTTP/1.0\r\nContent-Length: {}\r\n\r\n{}", body.size(), body));
    const auto r = client.read_response();
    CHECK(r.complete);
    CHECK_FALSE(r.has_header("Transfer-Encoding"));
    CHECK(r.records().size() == 6);
}

TEST_CASE("a request that is not HTTP is answered with its error and the end of the connection") {
    sim_process sim(fast);
    const auto check = [&](const std::string& text, int status) {
        http_client client(sim.port());
        client.send(text);
        const auto r = client.read_response();
        CHECK(r.status == status);
        CHECK(r.complete);
        CHECK(client.ends());
    };
    check("this is no HTTP\r\n\r\n", 400);
    check("GET / HTTP/1.1\r\nHost: " + std::string(100'000, 'a') + "\r\n\r\n", 431);
    check("POST /api/generate HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413);
    CHECK(http_client(sim.port()).get("/").status == 200);
}

TEST_CASE("a client that goes away in mid-reply frees its slot at once") {
    sim_process sim({"--load-ms", "0", "--decode-tokens-per-s", "10", "--reply-tokens-min", "10000",
                     "--reply-tokens-max", "10000", "--slots", "1"});
    {
        http_client client(sim.port());
        client.send(post_text("/api/generate", R"({"model":"m","prompt":"x"})"));
        REQUIRE(client.read_until("t_ns"));
        CHECK(read_stats(sim.port()).at("active") == 1);
    }
    CHECK(reaches(sim.port(), "active", 0));
    CHECK(read_stats(sim.port()).at("replies_cancelled") == 1);
    {
        http_client waiting(sim.port());
        http_client first(sim.port());
        first.send(post_text("/api/generate", R"({"model":"m","prompt":"x"})"));
        REQUIRE(first.read_until("t_ns"));
        waiting.send(post_text("/api/generate", R"({"model":"m","prompt":"x"})"));
        REQUIRE(reaches(sim.port(), "queued", 1));
    }
    CHECK(reaches(sim.port(), "queued", 0));
    CHECK(reaches(sim.port(), "active", 0));
}

TEST_CASE("a client that does not read loses nothing and is not counted as lateness") {
    sim_process sim({"--load-ms", "0", "--decode-tokens-per-s", "0", "--reply-tokens-min", "200000",
                     "--reply-tokens-max", "200000"});
    http_client client(sim.port());
    client.send(post_text("/api/generate", R"({"model":"m","prompt":"x"})"));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    CHECK(read_stats(sim.port()).at("tokens_sent") < 200'000);
    const auto r = client.read_response();
    CHECK(r.complete);
    CHECK(r.records().size() == 200'001);
    CHECK(read_stats(sim.port()).at("late_tokens_counted") == 0);
}

TEST_CASE("no file stays open after many connections ended in every way") {
    sim_process sim({"--load-ms", "0", "--decode-tokens-per-s", "1000"});
    CHECK(http_client(sim.port()).get("/").status == 200);
    REQUIRE(reaches(sim.port(), "connections_open", 1));
    const auto before = sim.open_files();
    for (int i = 0; i < 30; ++i) {
        http_client idle(sim.port());
        http_client half(sim.port());
        half.send("POST /api/gen");
        http_client gone(sim.port());
        gone.send(post_text("/api/generate", R"({"model":"m","prompt":"x"})"));
        REQUIRE(gone.read_until("t_ns"));
        http_client done(sim.port());
        CHECK(done.post("/api/generate", body).complete);
        http_client reset(sim.port());
        reset.post("/api/generate", body, "X-Chimera-Fault: reset,after=1\r\n");
        http_client ended(sim.port());
        ended.get("/");
        ended.shut_sending();
        CHECK(ended.ends());
    }
    REQUIRE(reaches(sim.port(), "connections_open", 1));
    // The connection that asked for the counters may still be on its way out.
    CHECK(sim.open_files() <= before + 1);
    CHECK(read_stats(sim.port()).at("active") == 0);
}

TEST_CASE("two hundred connections stream side by side") {
    sim_process sim(
        {"--load-ms", "0", "--decode-tokens-per-s", "100", "--reply-tokens-min", "20", "--reply-tokens-max", "20"});
    std::vector<std::unique_ptr<http_client>> clients;
    for (int i = 0; i < 200; ++i) {
        clients.push_back(std::make_unique<http_client>(sim.port()));
        clients.back()->send(post_text("/api/generate", R"({"model":"m","prompt":"x"})"));
    }
    for (auto& client : clients) {
        CHECK(client->read_response().records().size() == 21);
    }
    CHECK(read_stats(sim.port()).at("replies_completed") == 200);
}

TEST_CASE("a request has to be whole in time, however it begins; between requests a client may be idle") {
    auto arguments = fast;
    arguments.insert(arguments.end(), {"--request-timeout-ms", "300"});
    sim_process sim(arguments);
    http_client kept(sim.port());
    CHECK(kept.post("/api/generate", body).records().size() == 6);

    http_client silent(sim.port());
    http_client head(sim.port());
    head.send("POST /api/generate HTTP/1.1\r\nHost: sim\r\n");
    http_client part(sim.port());
    part.send("POST /api/generate HTTP/1.1\r\nContent-Length: 100\r\n\r\n{");
    http_client behind(sim.port());
    behind.send("GET /api/version HTTP/1.1\r\nHost: sim\r\n\r\nGET /api");
    CHECK(behind.read_response().status == 200);
    for (int i = 0; i < 6; ++i) { // a byte now and then does not help
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        head.send("A");
    }
    CHECK(silent.ends());
    for (auto* late : {&head, &part, &behind}) {
        const auto answer = late->read_response();
        CHECK(answer.status == 408);
        CHECK(answer.has_header("Connection: close"));
        CHECK(late->ends());
    }
    CHECK(kept.post("/api/generate", body).records().size() == 6);
    CHECK(read_stats(sim.port()).at("replies_completed") == 2);
}

TEST_CASE("who does not close its side after the server has closed is given up") {
    auto arguments = fast;
    arguments.insert(arguments.end(), {"--request-timeout-ms", "200"});
    sim_process sim(arguments);
    http_client client(sim.port());
    client.send("GET /api/version HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n\r\n");
    CHECK(client.read_response().status == 200);
    CHECK(reaches(sim.port(), "connections_open", 1)); // the one that asks
}

TEST_CASE("a reply takes its time whatever a request may take") {
    sim_process sim({"--decode-tokens-per-s", "10", "--prefill-tokens-per-s", "0", "--load-ms", "0",
                     "--request-timeout-ms", "100"});
    http_client client(sim.port());
    const auto r = client.post("/api/generate", body);
    CHECK(r.complete);
    CHECK(r.records().size() == 6);
}
