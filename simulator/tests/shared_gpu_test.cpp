#include "gpu.hpp"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reply_format.hpp"

using namespace chimera::sim;

namespace {

/// A file name that nobody uses, and no file afterwards.
struct temporary_path {
    std::string path = "/tmp/chimera-gpu-test-" + std::to_string(getpid());
    temporary_path() { unlink(path.c_str()); }
    ~temporary_path() { unlink(path.c_str()); }
};

} // namespace

TEST_CASE("instances see each other's decoders and follow one line") {
    const temporary_path file;
    shared_gpu a(file.path, 1.0);
    shared_gpu b(file.path, 1.0);
    const auto start = monotonic_ns() + 1'000'000'000;
    const auto first = a.set_active(start, 1);
    CHECK(first.active == 1);
    CHECK(b.changed());
    const auto both = b.set_active(start + 1'000, 1);
    CHECK(both.active == 2);
    CHECK(both.base_progress == first.base_progress + 1'000);
    CHECK(a.changed());
    CHECK(a.read().active == 2);
    CHECK_FALSE(a.changed());
    const auto alone = b.set_active(start + 5'000, 0);
    CHECK(alone.active == 1);
    CHECK(alone.base_progress == both.base_progress + 2'000);
}

TEST_CASE("an instance that ends leaves the line") {
    const temporary_path file;
    shared_gpu a(file.path, 0.5);
    a.set_active(monotonic_ns(), 1);
    {
        shared_gpu b(file.path, 0.5);
        b.set_active(monotonic_ns(), 3);
        CHECK(a.read().active == 4);
    }
    CHECK(a.read().active == 1);
}

TEST_CASE("the decoders of a process that was killed stop counting") {
    const temporary_path file;
    shared_gpu survivor(file.path, 1.0);
    survivor.set_active(monotonic_ns(), 1);
    const pid_t child = fork();
    if (child == 0) {
        auto* doomed = new shared_gpu(file.path, 1.0);
        doomed->set_active(monotonic_ns(), 2);
        _exit(0); // no destructor runs, as after SIGKILL
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(survivor.read().active == 3);
    CHECK(survivor.drop_dead(monotonic_ns()).active == 1);
    const shared_gpu next(file.path, 1.0);
}

TEST_CASE("a file left by instances that are gone is started afresh") {
    const temporary_path file;
    { shared_gpu old(file.path, 0.25); }
    shared_gpu fresh(file.path, 1.0);
    CHECK(fresh.read().active == 0);
}

TEST_CASE("another contention and foreign files are refused") {
    const temporary_path file;
    {
        shared_gpu a(file.path, 0.25);
        CHECK_THROWS_WITH_AS(shared_gpu(file.path, 1.0), doctest::Contains("contention 0.25"), std::runtime_error);
    }
    std::ofstream(file.path) << "something else";
    CHECK_THROWS_WITH_AS(shared_gpu(file.path, 1.0), doctest::Contains("not made by"), std::runtime_error);
    CHECK_THROWS_WITH_AS(shared_gpu("/no/such/folder/gpu", 1.0), doctest::Contains("/no/such/folder/gpu"),
                         std::runtime_error);
}

TEST_CASE("a clock on a shared GPU takes over what others do") {
    const temporary_path file;
    decode_clock mine(1.0, file.path);
    shared_gpu other(file.path, 1.0);
    const auto start = monotonic_ns();
    mine.start_decoder(start);
    CHECK(mine.next_look(start) == never);
    other.set_active(start + 1'000, 1);
    mine.look_at_others(start + 1'000);
    CHECK(mine.all_decoders() == 2);
    CHECK(mine.next_look(start + 1'000) < never);
    CHECK(mine.progress_at(start + 3'000) - mine.progress_at(start + 1'000) == 1'000);
    other.set_active(start + 3'000, 0);
    mine.look_at_others(start + 3'000);
    CHECK(mine.progress_at(start + 4'000) - mine.progress_at(start + 3'000) == 1'000);
}
