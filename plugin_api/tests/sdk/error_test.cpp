// Messages across the line, and option parsing.
#include "chimera/sdk/error.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "chimera/sdk/options.hpp"

using namespace chimera::sdk;

namespace {

std::string cut(std::string_view message, std::size_t cap) {
    std::string buffer(32, '#');
    chm_error err{buffer.data(), cap};
    CHECK(fail(&err, CHM_E_IO, message) == CHM_E_IO);
    CHECK(buffer.substr(cap) == std::string(32 - cap, '#'));
    return buffer.c_str();
}

constexpr std::array schema{
    int_option("workers", "4", 0, 100, "number of workers"),
    float_option("rate", "1.5", 0, 10, "a rate"),
    bool_option("steal", "true", "whether to steal"),
    enum_option("mode", "wake", "block|wake|channel", "a mode"),
    string_option("name", "none", "any text"),
};

std::string message(const std::string& key, const std::string& value) {
    const chm_kv kv{str(key), str(value)};
    const chm_config config{&kv, 1};
    try {
        const options o(&config, schema);
        o.integer("workers");
        o.number("rate");
        o.flag("steal");
        o.choice("mode");
        o.text("name");
        return "";
    } catch (const error& e) {
        CHECK(e.code() == CHM_E_INVAL);
        return e.what();
    }
}

} // namespace

TEST_CASE("a message is cut between characters, never inside one") {
    CHECK(cut("caf\xc3\xa9!", 32) == "caf\xc3\xa9!");
    CHECK(cut("caf\xc3\xa9!", 7) == "caf\xc3\xa9!");
    CHECK(cut("caf\xc3\xa9!", 6) == "caf\xc3\xa9");
    CHECK(cut("caf\xc3\xa9!", 5) == "caf");
    CHECK(cut("caf\xc3\xa9!", 4) == "caf");
    CHECK(cut("\xf0\x9f\x90\x91", 5) == "\xf0\x9f\x90\x91");
    for (std::size_t cap = 1; cap < 5; ++cap) CHECK(cut("\xf0\x9f\x90\x91", cap).empty());
    CHECK(cut("abc", 1).empty());
    CHECK(cut("", 4).empty());
}

TEST_CASE("nobody need listen") {
    CHECK(fail(nullptr, CHM_E_IO, "x") == CHM_E_IO);
    chm_error none{nullptr, 10};
    CHECK(fail(&none, CHM_E_IO, "x") == CHM_E_IO);
    char c = '#';
    chm_error empty{&c, 0};
    CHECK(fail(&empty, CHM_E_IO, "x") == CHM_E_IO);
    CHECK(c == '#');
}

TEST_CASE("every exception becomes a code and a message") {
    error_buffer err;
    CHECK(guarded(err.abi(), []() -> chm_rc { throw error(CHM_E_TIMEOUT, "too late"); }) == CHM_E_TIMEOUT);
    CHECK(err.text() == "too late");
    CHECK(guarded(err.abi(), []() -> chm_rc { throw error(CHM_READY, "odd"); }) == CHM_E_FAIL);
    CHECK(guarded(err.abi(), []() -> chm_rc { throw std::bad_alloc(); }) == CHM_E_NOMEM);
    CHECK(guarded(err.abi(), []() -> chm_rc { throw 7; }) == CHM_E_FAIL);
    CHECK_FALSE(err.text().empty());
    CHECK(guarded(err.abi(), []() -> chm_rc { return CHM_END; }) == CHM_END);
    CHECK(err.text().empty());
}

TEST_CASE("an error across the line becomes an exception with its message, or at least its code") {
    error_buffer err;
    err.check(CHM_OK);
    err.check(CHM_END);
    fail(err.abi(), CHM_E_CONNECT, "http://host refused");
    CHECK_THROWS_WITH_AS(err.check(CHM_E_CONNECT), "http://host refused", error);
    err.abi();
    CHECK_THROWS_WITH_AS(err.check(CHM_E_CONNECT), "error -12", error);
}

TEST_CASE("an error that is kept outlives the buffer it came in") {
    std::exception_ptr kept;
    {
        error_buffer err;
        CHECK(err.exception(CHM_READY) == nullptr);
        kept = err.exception(fail(err.abi(), CHM_E_CONNECT, "http://host refused"));
    }
    CHECK_THROWS_WITH_AS(std::rethrow_exception(kept), "http://host refused", error);
}

TEST_CASE("options have their defaults") {
    const options o(nullptr, schema);
    CHECK(o.integer("workers") == 4);
    CHECK(o.number("rate") == doctest::Approx(1.5));
    CHECK(o.flag("steal"));
    CHECK(o.choice("mode") == "wake");
    CHECK(o.text("name") == "none");
}

TEST_CASE("good values are taken") {
    for (const auto& [key, value] : {std::pair{"workers", "0"},
                                     {"workers", "100"},
                                     {"rate", "0"},
                                     {"rate", "1e1"},
                                     {"steal", "false"},
                                     {"mode", "channel"},
                                     {"mode", "block"},
                                     {"name", ""}})
        CHECK(message(key, value) == "");
}

TEST_CASE("bad values are refused, and the message names option and value") {
    for (const auto& [key, value] : {std::pair{"workers", ""},
                                     {"workers", "x"},
                                     {"workers", "1x"},
                                     {"workers", "1.5"},
                                     {"workers", " 1"},
                                     {"workers", "-1"},
                                     {"workers", "101"},
                                     {"workers", "9223372036854775808"},
                                     {"rate", "nan"},
                                     {"rate", "-0.1"},
                                     {"rate", "11"},
                                     {"rate", ""},
                                     {"steal", ""},
                                     {"steal", "True"},
                                     {"steal", "1"},
                                     {"mode", ""},
                                     {"mode", "wak"},
                                     {"mode", "block|wake"},
                                     {"mode", "wakee"}}) {
        const std::string m = message(key, value);
        CHECK(m.find(key) != std::string::npos);
        CHECK(m.find("'" + std::string(value) + "'") != std::string::npos);
    }
    CHECK(message("wokers", "1").find("'wokers'") != std::string::npos);
}
