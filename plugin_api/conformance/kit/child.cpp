#include "child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>

#include "chimera/sdk/owned_fd.hpp"
#include "expect.hpp"

namespace chimera::conformance {

namespace {

using steady = std::chrono::steady_clock;

double since(steady::time_point start) { return std::chrono::duration<double>(steady::now() - start).count(); }

// The child says what happens as it happens, one line each, so that it is known even if the child then dies:
// "F detail" a broken rule, "S detail" skipped, "E" the end was reached.
class line_pipe {
  public:
    explicit line_pipe(int fd) : fd_(fd) {}
    void say(char tag, std::string text) const {
        for (char& c : text)
            if (c == '\n') c = ' ';
        text = tag + text + '\n';
        for (std::size_t done = 0; done < text.size();) {
            const ssize_t n = ::write(fd_, text.data() + done, text.size() - done);
            if (n < 0 && errno != EINTR) return;
            if (n > 0) done += static_cast<std::size_t>(n);
        }
    }

  private:
    int fd_;
};

[[noreturn]] void live_in_child(const work& w, int fd) {
    const line_pipe out(fd);
    std::mutex mutex;
    unsigned said = 0;
    const auto report = [&](const std::string& what) {
        const std::lock_guard lock(mutex);
        if (++said <= 8) out.say('F', what);
    };
    try {
        w(report);
        out.say('E', "");
    } catch (const skipped& s) {
        out.say('S', s.what());
    } catch (const std::exception& e) {
        report(e.what());
    }
    // Not _exit: the plugin's static destructors and the leak checker have to run.
    std::exit(0);
}

struct transcript {
    std::string failures, skip;
    bool ended = false;

    void read(std::string_view text) {
        while (!text.empty()) {
            const std::size_t end = text.find('\n');
            const std::string_view line = text.substr(0, end);
            if (line.starts_with('F')) failures += (failures.empty() ? "" : "; ") + std::string(line.substr(1));
            if (line.starts_with('S')) skip = line.substr(1);
            if (line.starts_with('E')) ended = true;
            if (end == std::string_view::npos) break;
            text.remove_prefix(end + 1);
        }
    }
};

/// Reads until the child closes the pipe or its time is over. Returns false in the latter case.
bool listen(int fd, unsigned limit_s, std::string& text) {
    const auto end = steady::now() + std::chrono::seconds(limit_s);
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - steady::now()).count();
        if (left <= 0) return false;
        pollfd p{fd, POLLIN, 0};
        if (::poll(&p, 1, static_cast<int>(left)) <= 0) continue;
        char buffer[4096];
        const ssize_t n = ::read(fd, buffer, sizeof buffer);
        if (n == 0) return true;
        if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
    }
}

outcome judge(const transcript& t, int status, bool in_time) {
    if (!in_time) return {verdict::hung, t.failures.empty() ? "no end within its time limit" : t.failures};
    if (WIFSIGNALED(status))
        return {verdict::crashed,
                std::string(strsignal(WTERMSIG(status))) + (t.failures.empty() ? "" : " after: " + t.failures)};
    if (!t.failures.empty()) return {verdict::failed, t.failures};
    if (WEXITSTATUS(status) != 0)
        return {verdict::failed, "exit status " + std::to_string(WEXITSTATUS(status)) + ": see standard error"};
    if (!t.skip.empty()) return {verdict::skipped, t.skip};
    if (!t.ended) return {verdict::crashed, "the process ended in the middle of the case"};
    return {verdict::passed, ""};
}

} // namespace

outcome run_in_child(const work& w, unsigned limit_s) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0) throw std::runtime_error("pipe2: " + std::string(strerror(errno)));
    sdk::owned_fd in(ends[0]), out(ends[1]);
    std::fflush(nullptr);
    const auto start = steady::now();
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("fork: " + std::string(strerror(errno)));
    if (child == 0) {
        in.reset();
        live_in_child(w, out.get());
    }
    out.reset();
    std::string text;
    const bool in_time = listen(in.get(), limit_s, text);
    if (!in_time) ::kill(child, SIGKILL);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    transcript t;
    t.read(text);
    outcome o = judge(t, status, in_time);
    o.seconds = since(start);
    return o;
}

outcome run_here(const work& w) {
    const auto start = steady::now();
    std::mutex mutex;
    outcome o;
    const auto report = [&](const std::string& what) {
        const std::lock_guard lock(mutex);
        o.verdict = verdict::failed;
        o.detail += (o.detail.empty() ? "" : "; ") + what;
    };
    try {
        w(report);
    } catch (const skipped& s) {
        if (o.verdict == verdict::passed) o = {verdict::skipped, s.what()};
    } catch (const std::exception& e) {
        report(e.what());
    }
    o.seconds = since(start);
    return o;
}

} // namespace chimera::conformance
