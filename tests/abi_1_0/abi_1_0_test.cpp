// A plugin built for the first version of the contract loads and works. Whoever breaks this breaks every plugin in the
// world: see docs/abi-rules.md.
#include "host_process.hpp"
#include "registry/registry.hpp"
#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using namespace chimera::test;

/// The kept binaries as an installation would hold them: a checkout's files may be writable by a group.
class kept_plugins {
  public:
    kept_plugins() {
        for (const auto* id : {"abi_1_0_executor", "abi_1_0_transport"}) {
            fs::copy_file(fs::path(KEPT_PLUGIN_DIR) / (std::string(id) + ".so"), file(id));
            fs::permissions(file(id), fs::perms(0755));
        }
    }
    const fs::path& path() const { return folder_.path(); }
    std::string file(const std::string& id) const { return (folder_ / (id + ".so")).string(); }

  private:
    temporary_folder folder_;
};

void check_conforms(const std::string& plugin, const std::string& glob, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"validate", plugin, "--case", glob});
    const auto ran = run_host(more);
    CHECK_MESSAGE(ran.status == 0, glob, "\n", ran.out, ran.err);
}

} // namespace

TEST_CASE("plugins built for contract 1.0 are registered, and say that they are of 1.0") {
    using namespace chimera::host;
    const kept_plugins kept;
    registry plugins({.search = {kept.path()}});
    const auto executor = plugins.load(plugin_kind::executor, "abi_1_0_executor");
    const auto transport = plugins.load(plugin_kind::transport, "abi_1_0_transport");
    for (const auto& plugin : {executor, transport}) {
        CHECK(plugin->entry().abi_major == 1);
        CHECK(plugin->entry().abi_minor == 0);
        CHECK(plugin->entry().size == 64); // what it was when they were built, not what it is
    }
    CHECK(plugins.create_executor(executor, {}) != nullptr);
    CHECK(plugins.create_transport(transport, {}) != nullptr);
}

TEST_CASE("an executor built for contract 1.0 passes every case of today") {
    const kept_plugins kept;
    check_conforms(kept.file("abi_1_0_executor"), "*");
}

TEST_CASE("a transport built for contract 1.0 does exchanges on its reactor, and on one of today") {
    const kept_plugins kept;
    for (const auto* glob : {"entry.*", "exchange.get", "exchange.request_as_sent", "framing.close_delimited",
                             "failure.truncated_*", "failure.re*", "session.stopped_in_mid_exchange"}) {
        check_conforms(kept.file("abi_1_0_transport"), glob);
        check_conforms(kept.file("abi_1_0_transport"), glob, {"--executor", kept.file("abi_1_0_executor")});
    }
}

TEST_CASE("a profile runs on plugins built for contract 1.0") {
    const kept_plugins kept;
    const temporary_folder results;
    const auto ran =
        run_profile(results, "smol1kb",
                    {"--set", "executor.plugin=" + kept.file("abi_1_0_executor"), "--set",
                     "transport.plugin=" + kept.file("abi_1_0_transport"), "--set", "backend.simulator.load_ms=0",
                     "--set", "backend.simulator.reply_tokens_max=60", "--set",
                     "backend.simulator.decode_tokens_per_s=200", "--warmup", "0", "--runs", "1"});
    CHECK_MESSAGE(ran.status == 0, ran.err);
    CHECK(ran.json()["errors"].empty());
}
