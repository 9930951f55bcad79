// A sealed text that was changed anywhere, the seal itself included, is told; one without a seal is left alone.
#include "result/sealed_file.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <random>

using namespace chimera::host;

namespace {

using json = nlohmann::ordered_json;

const json sample{{"schema_version", 2}, {"values", {{"efficiency_pct", 97.125}}}, {"folder", "pool/plain/run_1"}};

bool whole(const std::string& text, seal_form form) {
    const seal_check check = check_seal(text, form);
    return check.fault.empty() && !check.seal.empty();
}

/// Told, or no JSON any more: then its reader tells.
bool told(const std::string& text, seal_form form) {
    return !check_seal(text, form).fault.empty() || (form != seal_form::comment && !json::accept(text));
}

std::string sealed(seal_form form) {
    if (form == seal_form::document) return sealed_document(sample);
    if (form == seal_form::comment) return sealed_comment("# configuration 0123\nname = \"x\"\n");
    std::string line = sealed_line(sample);
    line.pop_back();
    return line;
}

constexpr seal_form forms[] = {seal_form::document, seal_form::line, seal_form::comment};

} // namespace

TEST_CASE("the seal is the last member, and zlib's CRC-32 of all bytes before it") {
    CHECK(checksum_of("123456789") == "cbf43926"); // the check value of CRC-32 everywhere
    const std::string text = sealed_document(json{{"a", 1}});
    CHECK(text == "{\n  \"a\": 1,\n  \"crc32\": \"" + checksum_of("{\n  \"a\": 1") + "\"\n}\n");
    CHECK(sealed_line(json{{"a", 1}}) == "{\"a\":1,\"crc32\":\"" + checksum_of("{\"a\":1") + "\"}\n");
    CHECK(json::parse(text)["crc32"] == check_seal(text, seal_form::document).seal);
    for (const seal_form form : forms) CHECK(whole(sealed(form), form));
    checksum pieces;
    pieces.add("12345");
    pieces.add("6789");
    CHECK(pieces.text() == "cbf43926");
    CHECK(pieces.bytes() == 9);
}

TEST_CASE("whatever byte is changed, taken out or put in, is told") {
    std::mt19937 random(3);
    for (const seal_form form : forms) {
        const std::string good = sealed(form);
        for (std::size_t at = 0; at < good.size(); ++at) {
            CAPTURE(at);
            for (unsigned bit = 0; bit < 8; ++bit) {
                std::string flipped = good;
                flipped[at] = static_cast<char>(flipped[at] ^ (1U << bit));
                CHECK_MESSAGE(told(flipped, form), flipped);
            }
            std::string shorter = good, longer = good;
            shorter.erase(at, 1);
            longer.insert(at, 1, static_cast<char>(random() % 256));
            CHECK_MESSAGE(told(shorter, form), shorter);
            CHECK_MESSAGE(told(longer, form), longer);
        }
    }
}

TEST_CASE("a text without a seal, or whose seal was taken out, is as older versions wrote it") {
    for (const char* end :
         {R"({"folder":"pool/plain/run_1"})", R"({"pieces":[[1,2,3,4,5,6]]})", R"({"a":1})", "{}", ""}) {
        CHECK(check_seal(end, seal_form::line).fault.empty());
        CHECK(check_seal(end, seal_form::line).seal.empty());
    }
    CHECK(check_seal(sample.dump(2) + "\n", seal_form::document).fault.empty());
    CHECK(check_seal("name = \"x\"\n", seal_form::comment).fault.empty());
}

TEST_CASE("the fault says both checksums and what to do") {
    std::string text = sealed_document(sample);
    const std::string said = check_seal(text, seal_form::document).seal;
    text.replace(text.find("97.125"), 6, "98.125");
    const std::string fault = check_seal(text, seal_form::document).fault;
    CHECK(fault.starts_with("is damaged: its bytes give the checksum "));
    CHECK(fault.find("it says " + said + "; restore it, or take \"crc32\" out") != std::string::npos);
}
