#include "child.hpp"

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
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

// The child reports each event at once, one line each, so that no report is lost if the child dies:
// "\1F detail" a broken rule, "\1W detail" something unwise, "\1S detail" skipped, "\1E" the end was reached. Lines
// without the first byte are a sanitizer's.
constexpr char mark = '\1';
class line_pipe {
  public:
    explicit line_pipe(int fd) : fd_(fd) {}
    void say(char tag, std::string text) const {
        for (char& c : text)
            if (c == '\n') c = ' ';
        text = std::string{mark, tag} + text + '\n';
        for (std::size_t done = 0; done < text.size();) {
            const ssize_t n = ::write(fd_, text.data() + done, text.size() - done);
            if (n < 0 && errno != EINTR) return;
            if (n > 0) done += static_cast<std::size_t>(n);
        }
    }

  private:
    int fd_;
};

/// A sanitizer's report comes out of the child by the same pipe, among the lines; its own lines begin with none of the
/// tags.
void redirect_reports(int fd) {
    using set_report_fd = void (*)(void*);
    const auto set = reinterpret_cast<set_report_fd>(::dlsym(RTLD_DEFAULT, "__sanitizer_set_report_fd"));
    if (set) set(reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
}

[[noreturn]] void live_in_child(const work& w, int fd) {
    redirect_reports(fd);
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
    std::string failures, skip, warning, report;
    bool ended = false; // the case came to one of its ends

    void read(std::string_view text) {
        while (!text.empty()) {
            const std::size_t end = std::min(text.find('\n'), text.size() - 1);
            read_line(text.substr(0, end + 1));
            text.remove_prefix(end + 1);
        }
    }
    /// A sanitizer's finding, in its words: "AddressSanitizer: heap-use-after-free on address 0x..."; empty: nothing.
    std::string found() const {
        const std::size_t at = report.find("Sanitizer: ");
        if (at == std::string::npos) return "";
        const std::size_t word = report.find_last_of(" \n=", at);
        const std::size_t from = word == std::string::npos ? 0 : word + 1;
        const std::string line = report.substr(from, report.find('\n', from) - from);
        return line.substr(0, line.find(" (pid="));
    }

  private:
    void read_line(std::string_view line) {
        if (line.front() != mark) {
            report += line;
            return;
        }
        const std::string detail(line.substr(2, line.size() - (line.ends_with('\n') ? 3 : 2)));
        if (line[1] == 'F') failures += (failures.empty() ? "" : "; ") + detail;
        if (line[1] == 'S') skip = detail;
        if (line[1] == 'W') warning = detail;
        ended |= line[1] != 'F';
    }
};

outcome judge(const transcript& t, int status, bool in_time, const std::string& limit) {
    const std::string after = t.failures.empty() ? "" : " after: " + t.failures, found = t.found();
    if (!in_time) return {verdict::hung, t.failures.empty() ? "no end within " + limit : t.failures};
    if (!found.empty() && !t.ended) return {verdict::crashed, found + after};
    if (WIFSIGNALED(status)) return {verdict::crashed, std::string(strsignal(WTERMSIG(status))) + after};
    if (!found.empty()) return {verdict::failed, found + after};
    if (!t.failures.empty()) return {verdict::failed, t.failures};
    if (WEXITSTATUS(status) != 0)
        return {verdict::failed, "exit status " + std::to_string(WEXITSTATUS(status)) + ": see standard error"};
    if (!t.skip.empty()) return {verdict::skipped, t.skip};
    if (!t.warning.empty()) return {verdict::warning, t.warning};
    if (!t.ended) return {verdict::crashed, "the process ended in the middle of the case"};
    return {verdict::passed, ""};
}

} // namespace

outcome run_in_child(const work& w, unsigned limit_s, bool after_hang) {
    const forked_end end = run_forked([&w](int out) { live_in_child(w, out); }, std::chrono::seconds(limit_s));
    transcript t;
    t.read(end.told);
    if (!t.report.empty()) std::fputs(t.report.c_str(), stderr);
    const std::string limit = std::to_string(limit_s) + " s" + (after_hang ? ", as another one hung before" : "");
    outcome o = judge(t, end.status, end.in_time, limit);
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
