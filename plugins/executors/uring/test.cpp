// What must stay true of uring beyond the contract: kernels that refuse, ends in mid-receive, leaks, stamps.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <ctime>
#include <string>
#include <thread>

#include "../testing/lifecycle.hpp"
#include "../testing/socket_pair.hpp"
#include "chimera/sdk/reactor.hpp"

using namespace chimera;
using namespace chimera::test;

const std::vector<std::string> chimera::test::plugins_under_test{"uring"};

namespace {

// --- kernels that refuse ---

/// From here on this process has a kernel whose io_uring_setup answers `why`.
bool forbid_io_uring(int why) {
    std::array<sock_filter, 4> program{{
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_io_uring_setup},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | static_cast<unsigned>(why)},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    }};
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// What create says in a process where io_uring_setup answers `why`; "" if it works there.
std::string refusal(int why) {
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    const pid_t child = fork();
    if (child == 0) {
        std::string said = "the filter could not be set";
        if (forbid_io_uring(why)) {
            try {
                executor_under_test ex;
                said.clear();
            } catch (const sdk::error& e) {
                said = e.code() == CHM_E_NOSYS ? e.what() : "another code";
            }
        }
        const ssize_t n = ::write(ends[1], said.data(), said.size());
        _exit(n == static_cast<ssize_t>(said.size()) ? 0 : 1);
    }
    ::close(ends[1]);
    std::string said(1000, '\0');
    const ssize_t n = ::read(ends[0], said.data(), said.size());
    ::close(ends[0]);
    int status = -1;
    waitpid(child, &status, 0);
    CHECK(status == 0);
    said.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return said;
}

bool names(const std::string& text, std::string_view what) { return text.find(what) != std::string::npos; }

TEST_CASE("a kernel without io_uring, or one that forbids it, is an error that says what to do") {
    const census before;
    const std::string none = refusal(ENOSYS), forbidden = refusal(EPERM), old = refusal(EINVAL);
    INFO(none, "\n", forbidden, "\n", old);
    for (const std::string& text : {none, forbidden, old}) CHECK(names(text, "thread_pool"));
    CHECK(names(none, "Linux 5.19"));
    CHECK(names(old, "Linux 5.19"));
    CHECK(names(forbidden, "kernel.io_uring_disabled"));
    CHECK(names(forbidden, "seccomp"));
}

// --- receives ---

sdk::receiver receiver_on(chm_reactor* r, int fd, std::uint32_t flags = 0) {
    return {r, *sdk::recv_ops_of(r), fd, flags};
}

/// Awaits something to tell.
class arrival final : public sdk::awaitable {
  public:
    explicit arrival(sdk::receiver& from) noexcept : from_(from) {}
    bool poll(chm_waker* waker) override { return from_.ready(waker); }
    void await_resume() const noexcept {}

  private:
    sdk::receiver& from_;
};

/// True once the other end has closed; false after ten seconds.
bool sees_end(int fd) {
    pollfd p{fd, POLLIN, 0};
    char byte = 0;
    return ::poll(&p, 1, 10'000) == 1 && ::recv(fd, &byte, 1, 0) == 0;
}

sdk::task<void> receive_for_ever(chm_reactor* r, sdk::owned_fd fd) {
    sdk::receiver from = receiver_on(r, fd.get());
    arrival never(from);
    co_await never;
}

TEST_CASE("a task that is dropped while the kernel receives for it closes its socket for good") {
    const census before;
    socket_pair pair;
    executor_under_test ex;
    ex.spawn(receive_for_ever(ex.reactor(), std::move(pair.a)));
    std::thread stopper([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        ex.stop();
    });
    CHECK(ex.run(CHM_RUN_UNTIL_STOP) == CHM_E_CANCELED);
    stopper.join();
    CHECK(sees_end(pair.b.get()));
}

sdk::task<void> close_and_stay(chm_reactor* r, sdk::owned_fd fd, const std::atomic<bool>& seen) {
    {
        sdk::receiver from = receiver_on(r, fd.get());
        sdk::timer rest(r);
        co_await rest.after(1'000'000); // the kernel has begun
    }
    fd.reset();
    sdk::timer rest(r);
    while (!seen) co_await rest.after(1'000'000);
}

TEST_CASE("the peer of a closed receive sees the close at once, not when the executor ends") {
    const census before;
    socket_pair pair;
    executor_under_test ex;
    std::atomic<bool> seen{false};
    ex.spawn(close_and_stay(ex.reactor(), std::move(pair.a), seen));
    std::thread peer([&] {
        CHECK(sees_end(pair.b.get()));
        seen = true;
    });
    CHECK(ex.run() == CHM_OK);
    peer.join();
}

TEST_CASE("what a task forgot to close is closed at the end, and said") {
    const census before(3);
    socket_pair pair, other;
    executor_under_test ex;
    std::atomic<int> drops{0};
    ex.spawn(closure_task::counted(drops, [&](chm_waker* w) -> chm_rc {
        chm_io* io = nullptr;
        chm_timer* timer = nullptr;
        chm_recv* recv = nullptr;
        chm_reactor* r = ex.reactor();
        REQUIRE(r->vt->io_register(r, pair.a.get(), &io) == CHM_OK);
        REQUIRE(r->vt->timer_create(r, &timer) == CHM_OK);
        REQUIRE(sdk::recv_ops_of(r)->start(r, other.a.get(), 0, &recv) == CHM_OK);
        r->vt->io_poll(r, io, CHM_IO_READ, w);
        r->vt->timer_poll(r, timer, sdk::now_ns() + 1'000'000'000, w);
        return CHM_READY;
    }));
    CHECK(ex.run() == CHM_OK);
    CHECK(drops == 1);
}

TEST_CASE("without buffers there is no receive extension") {
    const census before;
    executor_under_test with, without{{"buffers", "0"}};
    CHECK(sdk::recv_ops_of(with.reactor()) != nullptr);
    CHECK(sdk::recv_ops_of(without.reactor()) == nullptr);
    chm_reactor* r = with.reactor();
    CHECK(r->vt->get_extension(r, "chimera.reactor.recv/2") == nullptr);
}

// --- stamps ---

/// Two TCP sockets over loopback, which the kernel stamps.
struct tcp_pair {
    tcp_pair() {
        const sdk::owned_fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        auto* const any = reinterpret_cast<sockaddr*>(&at);
        REQUIRE(::bind(listener.get(), any, size) == 0);
        REQUIRE(::listen(listener.get(), 1) == 0);
        REQUIRE(::getsockname(listener.get(), any, &size) == 0);
        a = sdk::owned_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::connect(a.get(), any, size) == 0);
        b = sdk::owned_fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        const int software = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
        REQUIRE(setsockopt(a.get(), SOL_SOCKET, SO_TIMESTAMPING, &software, sizeof software) == 0);
    }
    sdk::owned_fd a, b;
};

std::uint64_t realtime_ns() {
    timespec t{};
    clock_gettime(CLOCK_REALTIME, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(t.tv_nsec);
}

sdk::task<void> stamp_of(chm_reactor* r, tcp_pair& wire, std::uint32_t flags, std::uint64_t& stamp_ns) {
    sdk::receiver from = receiver_on(r, wire.a.get(), flags);
    sdk::timer rest(r);
    const std::uint64_t patience = sdk::now_ns() + 10'000'000'000U;
    do { // switched on for the first socket of a machine, stamping begins a little later
        co_await rest.after(1'000'000);
        CHECK(::send(wire.b.get(), "token", 5, 0) == 5);
        arrival some(from);
        co_await some;
        std::array<char, 16> bytes{};
        chm_received got{};
        CHECK(from.poll(nullptr, bytes.data(), bytes.size(), got) == CHM_READY);
        CHECK(std::string(bytes.data(), got.count) == "token");
        stamp_ns = got.kernel_ns;
    } while (flags != 0 && stamp_ns == 0 && sdk::now_ns() < patience);
}

TEST_CASE("who asks for it is told when the kernel received") {
    const census before;
    tcp_pair wire, plain;
    executor_under_test ex;
    std::uint64_t stamp_ns = 0, none_ns = 1;
    const std::uint64_t begun = realtime_ns();
    ex.spawn(stamp_of(ex.reactor(), wire, CHM_RECV_STAMPS, stamp_ns));
    ex.spawn(stamp_of(ex.reactor(), plain, 0, none_ns));
    CHECK(ex.run() == CHM_OK);
    CHECK(stamp_ns >= begun);
    CHECK(stamp_ns <= realtime_ns());
    CHECK(none_ns == 0);
}

// --- timers ---

/// Waits for an hour, until its own near timer ends that.
sdk::task<void> far_then_near(chm_reactor* r, std::uint64_t& late_ns) {
    sdk::timer far(r), near(r);
    auto hour = far.after(3'600'000'000'000U);
    struct armed final : sdk::awaitable { // arms the far one, then goes on
        explicit armed(sdk::awaitable& a) noexcept : what(a) {}
        bool poll(chm_waker* w) override { return what.poll(w), true; }
        void await_resume() const noexcept {}
        sdk::awaitable& what;
    } begin(hour);
    co_await begin;
    const std::uint64_t deadline = sdk::now_ns() + 3'000'000;
    sdk::yield_now turn; // the kernel waits for the far one now
    co_await turn;
    co_await near.at(deadline);
    late_ns = sdk::now_ns() - deadline; // wraps where it is early
}

TEST_CASE("a timer that is due before the one that the kernel waits for is neither early nor forgotten") {
    const census before;
    executor_under_test ex;
    std::uint64_t late_ns = 0;
    std::atomic<bool> over{false};
    ex.spawn(far_then_near(ex.reactor(), late_ns));
    std::thread patience([&] { // a timer that is forgotten would hold the run for an hour
        if (!block_until([&] { return over.load(); })) ex.stop();
    });
    CHECK(ex.run() == CHM_OK);
    over = true;
    patience.join();
    CHECK(late_ns < 10'000'000'000U);
}

TEST_CASE("lifecycle") { test_lifecycle(); }

} // namespace
