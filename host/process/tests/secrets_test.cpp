#include "process/secrets.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include <sys/prctl.h>

using namespace chimera::host;

namespace {

const std::string key = "sk-Very/Secret+0123456789";

std::string hidden(std::string text) {
    secret_forms(key).hide_in(text);
    return text;
}

} // namespace

TEST_CASE("a secret is hidden in every form that a server may send back") {
    const std::pair<const char*, std::string> forms[] = {
        {"as it is", key},
        {"upper case", "SK-VERY/SECRET+0123456789"},
        {"backwards", "9876543210+terceS/yreV-ks"},
        {"hex", "736b2d566572792f5365637265742b30313233343536373839"},
        {"HEX", "736B2D566572792F5365637265742B30313233343536373839"},
        {"base64", "c2stVmVyeS9TZWNyZXQrMDEyMzQ1Njc4OQ=="},
        {"base64 after one byte", "OnNrLVZlcnkvU2VjcmV0KzAxMjM0NTY3ODk="},
        {"base64 of Bearer and it", "QmVhcmVyIHNrLVZlcnkvU2VjcmV0KzAxMjM0NTY3ODk="},
        {"URL", "sk-Very%2FSecret%2B0123456789"},
        {"every byte in a URL", "%73%6b%2d%56%65%72%79%2f%53%65%63%72%65%74%2b%30%31%32%33%34%35%36%37%38%39"},
        {"URL, twice", "sk-Very%252FSecret%252B0123456789"},
        {"base64 in a URL", "c2stVmVyeS9TZWNyZXQrMDEyMzQ1Njc4OQ%3D%3D"},
        {"JSON slashes", "sk-Very\\/Secret+0123456789"},
        {"JSON code points", "sk-Very\\u002fSecret\\u002B0123456789"},
        {"JSON in JSON", "sk-Very\\\\u002fSecret\\\\u002b0123456789"},
        {"HTML", "sk-Very&#47;Secret&#x2B;0123456789"},
        {"C", "sk-Very\\x2fSecret+0123456789"},
        {"quoted-printable", "sk-Very=2FSecret=2B0123456789"},
        {"the first half and more", "sk-Very/Secret+01"},
        {"the last half", "cret+0123456789"},
    };
    for (const auto& [name, form] : forms) {
        CAPTURE(name);
        const std::string text = hidden("invalid key: " + form + " (see the docs)");
        CHECK(text.find("***") != std::string::npos);
        CHECK(text.find("invalid key: ") == 0);
        CHECK(text.ends_with(" (see the docs)"));
        CHECK(text.size() <= std::string("invalid key: *** (see the docs)").size() + 9); // at most its first letters
    }
}

TEST_CASE("other text is left as it is") {
    for (const std::string text :
         {"", "sk", "sk-Very", "a secret is a secret", "%", "\\", "&", "=", "%73%6b", "c2stVm", "&#115;"})
        CHECK(hidden(text) == text);
    const std::string slashes(1'000'000, '\\'); // and in time
    CHECK(hidden(slashes) == slashes);
}

TEST_CASE("two secrets and their neighbours are each replaced once") {
    CHECK(hidden(key + key) == "******");
    CHECK(hidden("a" + key + "b" + key + "c") == "a***b***c");
}

TEST_CASE("a URL is shown without what it holds in secret") {
    CHECK(without_url_secrets("http://u:p@h:1/v1") == "http://***@h:1/v1");
    CHECK(without_url_secrets("http://u:p/w?#x y@h/v1") == "http://***@h/v1");
    CHECK(without_url_secrets("https://h/v1?key=abc&b=&c") == "https://h/v1?key=***&b=&***");
    CHECK(without_url_secrets("u:p@h:1") == "***@h:1");
    CHECK(without_url_secrets("transport.options.proxy=u:p@h") == "transport.options.proxy=***@h");
    CHECK(without_url_secrets("model=a@b") == "model=a@b");
    CHECK(without_url_secrets("https://h/#abc") == "https://h/#***");
    CHECK(without_url_secrets("https://h?#") == "https://h?#");
    CHECK(redacted("cannot reach http://u:p@h/?k=v or \"https://me@x\"; is it up?") ==
          "cannot reach http://***@h/?k=*** or \"https://***@x\"; is it up?");
    CHECK(redacted("see https://toml.io for the syntax") == "see https://toml.io for the syntax");
}

TEST_CASE("names of secrets") {
    for (const char* name : {"api_key", "X-Api-Key", "Authorization", "token", "hf_token", "Set-Cookie", "passwd"})
        CHECK_MESSAGE(names_a_secret(name), name);
    for (const char* name : {"max_tokens", "key_header", "decode_tokens_per_s", "seed", ""})
        CHECK_MESSAGE(!names_a_secret(name), name);
}

TEST_CASE("secrets are overwritten in the command line and kept out of messages, however they are given") {
    const std::pair<const char*, const char*> given[] = {
        {"--api-key", "One111111111"},
        {"--api-kay", "Two222222222"},
        {"--apikye", "Three3333333"},
        {"--token", "Four44444444"},
        {"--set", "backend.headers.X-Api-Key=Five55555555"},
        {"--api-key=Six666666666", ""},
        {"--api-key-file", "not-a-secret"},
        {"--set", "measure.seed=7"},
        {"--set", "x={\"X-Api-Key\" = \"Seven7777777\", a=\"keep\", token='Eight8888888'}"},
        {"--api-keyNine99999999", "api-key=Ten000000000"},
        {"\u2014api-key", "Eleven111111"}};
    std::vector<std::string> words{"chimera-host"};
    for (const auto& [option, value] : given) {
        words.emplace_back(option);
        words.emplace_back(value);
    }
    std::vector<std::string> memory = words;
    std::vector<char*> argv;
    for (std::string& w : memory) argv.push_back(w.data());
    CHECK(take_arguments(static_cast<int>(argv.size()), argv.data()) == words);
    for (const std::string& w : memory)
        CHECK_MESSAGE(w.find_first_of("OTFSEN") == std::string::npos, w); // with which they begin
    CHECK(memory[2] == "************");
    CHECK(memory[10].starts_with("backend.headers.X-Api-Key=***"));
    CHECK(memory[14] == "not-a-secret");
    CHECK(memory[16] == "measure.seed=7");
    CHECK(memory[18] == "x={\"X-Api-Key\" = \"************\", a=\"keep\", token='************'}");
    CHECK(redacted("unexpected: Two222222222 Five55555555") == "unexpected: *** ***");
}

TEST_CASE("a variable with a secret is gone once it is taken, and the process's memory is its own") {
    setenv("CHIMERA_TEST_SECRET", "from-the-environment", 1);
    const char* there = getenv("CHIMERA_TEST_SECRET");
    CHECK(take_variable("CHIMERA_TEST_SECRET") == "from-the-environment");
    CHECK(getenv("CHIMERA_TEST_SECRET") == nullptr);
    CHECK(std::string(there).empty());
    CHECK(take_variable("CHIMERA_TEST_SECRET").empty());

    hold_secret("from-the-environment");
    hold_secret("x1");
    CHECK(prctl(PR_GET_DUMPABLE) == 0);
    prctl(PR_SET_DUMPABLE, 1);
    std::string text = "x1 and FROM-THE-ENVIRONMENT";
    redact(text);
    CHECK(text == "*** and ***");
    CHECK(redacted("x1") == "x1"); // a word of two letters would spoil messages
}

TEST_CASE("a key that no header can carry is refused without being shown") {
    CHECK(key_fault("sk-0123").empty());
    CHECK(key_fault("sk-\n0123").find("character 4") != std::string::npos);
    CHECK(key_fault(std::string(20'000, 'k')).find("more than") != std::string::npos);
}
