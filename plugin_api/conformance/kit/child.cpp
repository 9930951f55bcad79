#include "child.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <set>

#include "expect.hpp"
#include "forked.hpp"

namespace chimera::conformance {

namespace {

using steady = std::chrono::steady_clock;

double since(steady::time_point start) { return std::chrono::duration<double>(steady::now() - start).count(); }

// The child says what happens as it happens, one line each, so that it is known even if the child then dies:
// "F detail" a broken rule, "W detail" something unwise, "S detail" skipped, "E" the end was reached.
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
    std::set<std::string> said;
    const auto report = [&](const std::string& what) {
        const std::lock_guard lock(mutex);
        if (said.size() < 8 && said.insert(what).second) out.say('F', what);
    };
    try {
        w(report);
        out.say('E', "");
    } catch (const skipped& s) {
        out.say('S', s.what());
    } catch (const unwise& u) {
        out.say('W', u.what());
    } catch (const std::exception& e) {
        report(e.what());
    }
    // Not _exit: the plugin's static destructors and the leak checker have to run.
    std::exit(0);
}

struct transcript {
    std::string failures, skip, warning;
    bool ended = false;

    void read(std::string_view text) {
        while (!text.empty()) {
            const std::size_t end = text.find('\n');
            const std::string_view line = text.substr(0, end);
            if (line.starts_with('F')) failures += (failures.empty() ? "" : "; ") + std::string(line.substr(1));
            if (line.starts_with('S')) skip = line.substr(1);
            if (line.starts_with('W')) warning = line.substr(1);
            if (line.starts_with('E')) ended = true;
            if (end == std::string_view::npos) break;
            text.remove_prefix(end + 1);
        }
    }
};

outcome judge(const transcript& t, int status, bool in_time) {
    if (!in_time) return {verdict::hung, t.failures.empty() ? "no end within its time limit" : t.failures};
    if (WIFSIGNALED(status))
        return {verdict::crashed,
                std::string(strsignal(WTERMSIG(status))) + (t.failures.empty() ? "" : " after: " + t.failures)};
    if (!t.failures.empty()) return {verdict::failed, t.failures};
    if (WEXITSTATUS(status) != 0)
        return {verdict::failed, "exit status " + std::to_string(WEXITSTATUS(status)) + ": see standard error"};
    if (!t.skip.empty()) return {verdict::skipped, t.skip};
    if (!t.warning.empty()) return {verdict::warning, t.warning};
    if (!t.ended) return {verdict::crashed, "the process ended in the middle of the case"};
    return {verdict::passed, ""};
}

} // namespace

outcome run_in_child(const work& w, unsigned limit_s) {
    const forked_end end = run_forked([&w](int out) { live_in_child(w, out); }, std::chrono::seconds(limit_s));
    transcript t;
    t.read(end.told);
    outcome o = judge(t, end.status, end.in_time);
    o.seconds = end.seconds;
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
    } catch (const unwise& u) {
        if (o.verdict == verdict::passed) o = {verdict::warning, u.what()};
    } catch (const std::exception& e) {
        report(e.what());
    }
    o.seconds = since(start);
    return o;
}

} // namespace chimera::conformance
