#include "provenance/collect.hpp"
#include "registry/registry.hpp"
#include "temporary_folder.hpp"

#include <doctest/doctest.h>

#include <cstdio>

using namespace chimera::host;
using chimera::test::temporary_folder;
namespace fs = std::filesystem;

namespace {

/// As the system's own program computes it.
std::string sha256sum(const fs::path& file) {
    FILE* const out = popen(("sha256sum < " + file.string()).c_str(), "r");
    REQUIRE(out != nullptr);
    std::string digest(64, ' ');
    CHECK(std::fread(digest.data(), 1, digest.size(), out) == digest.size());
    pclose(out);
    return digest;
}

} // namespace

TEST_CASE("a plugin is known by the hash of the file that was loaded, also after another file took its place") {
    const temporary_folder folder;
    const fs::path file = folder / "socket.so";
    fs::copy_file(fs::path(CHIMERA_PLUGIN_DIR) / "socket.so", file);
    fs::permissions(file, fs::perms(0755));
    const std::string digest = sha256sum(file);

    registry plugins;
    const auto loaded = plugins.load(plugin_kind::transport, file.string());
    const plugin_identity before = identity_of(*loaded);
    CHECK(before.id == "socket");
    CHECK_FALSE(before.version.empty());
    CHECK(before.file == fs::canonical(file));
    CHECK(before.sha256 == digest);

    fs::remove(file);
    folder.write("socket.so", "another file");
    CHECK(identity_of(*loaded) == before);
}
