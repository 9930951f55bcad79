// Provenance in words: what was told, and nothing of what was not.
#include "provenance/in_words.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;

TEST_CASE("a machine is told in one line") {
    machine_identity m{.host_name = "build7",
                       .cpu_model = "AMD EPYC 7B13",
                       .usable_cpus = 16,
                       .governor = "performance",
                       .memory_bytes = 67'318'591'488,
                       .os = {},
                       .kernel = "6.1.0-18-amd64",
                       .libc = "glibc 2.36",
                       .hypervisor = "none",
                       .container = "docker"};
    CHECK(in_words(m) == "AMD EPYC 7B13, 16 CPUs, governor performance, 62.7 GiB, Linux 6.1.0-18-amd64, glibc 2.36, no "
                         "hypervisor, in docker");
    m = {};
    m.usable_cpus = 1;
    CHECK(in_words(m) == "1 CPU");
    CHECK(in_words(machine_identity{}).empty());
}

TEST_CASE("programs and servers are told with the first digits of their hashes") {
    CHECK(in_words(build_identity{"0.1.0", "1f3c9a0b7d2e", "GCC 12.2.0", "Release"}) ==
          "chimera 0.1.0 (1f3c9a0b7d2e, GCC 12.2.0, Release)");
    CHECK(in_words(plugin_identity{"fiber", "0.1.0", "/lib/fiber.so", "0123456789abcdef0123"}) ==
          "fiber 0.1.0 (0123456789ab)");
    CHECK(in_words(plugin_identity{"fiber", "0.1.0", "/lib/fiber.so", std::nullopt}) == "fiber 0.1.0");
    CHECK(
        in_words(server_identity{"http://h", "Ollama", "0.5.1", {{"m", "sha256:0123456789abcdef", "4.3B", "Q8_0"}}}) ==
        "Ollama 0.5.1, m (0123456789ab, 4.3B, Q8_0)");
    CHECK(in_words(server_identity{"http://h", "vLLM", std::nullopt, {{"m", {}, {}, {}}}}) == "vLLM, m");
    CHECK(in_words(server_identity{"http://h", std::nullopt, "1.2", {}}) == "version 1.2");
    CHECK(in_words(server_identity{"http://h", std::nullopt, std::nullopt, {}}) == "software not told");
}

TEST_CASE("only a hash is shortened") {
    CHECK(short_hash("0123456789abcdef") == "0123456789ab");
    CHECK(short_hash("abc") == "abc");
    CHECK(short_hash("not a digest \xe2\x80\xae of digits") == "not a digest \xe2\x80\xae of digits");
}
