#include "report/progress.hpp"

#include "measure/attribution.hpp"
#include "process/messages.hpp"
#include "protocol/excerpt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <unistd.h>

namespace chimera::host {
namespace {

constexpr std::size_t bar_width = 24;
constexpr auto redraw_every = std::chrono::milliseconds(100);

std::string describe(const planned_execution& x, const profile& p) {
    const std::string who =
        x.concurrent ? "all together" : fmt::format("{} alone", p.workload.agents[x.agents.front()].id);
    if (x.run == 0) return "warm-up, " + who;
    return fmt::format("run {} of {}, {}", x.run, p.measure.runs, who);
}

std::string outcome_of(const run_record& run) {
    if (!run.complete()) return "failed";
    if (run.concurrent.coordination && !run.concurrent.has_requests()) {
        const double ms = figures_of(*run.concurrent.coordination).total_ms;
        return ms > 0 ? fmt::format("100 cycles {:.1f} ms", ms) : "done";
    }
    const run_figures f = figures_of(run);
    const std::string estimate =
        fmt::format("estimate {:.2f} %, wall {:.2f} s", f.estimated_efficiency_pct, f.wall_ms / 1e3);
    return f.efficiency_pct ? fmt::format("efficiency {:.2f} %, {}", *f.efficiency_pct, estimate) : estimate;
}

} // namespace

progress_style progress_style_for_terminal() {
    return isatty(STDERR_FILENO) ? progress_style::bar : progress_style::lines;
}

progress::progress(progress_style style, const profile& p, const execution_control& control)
    : style_(style), profile_(p), control_(control), color_(std::getenv("NO_COLOR") == nullptr) {
    if (style_ == progress_style::bar) drawer_ = std::thread([this] { draw_until_closed(); });
}

progress::~progress() {
    if (!drawer_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    closing_.notify_one();
    drawer_.join();
    erase();
}

void progress::begins(const planned_execution& x, std::size_t index, std::size_t of) {
    const std::lock_guard lock(mutex_);
    index_ = index;
    of_ = of;
    now_ = on_one_line(describe(x, profile_));
    tokens_before_ = control_.tokens();
    if (style_ == progress_style::lines) say(fmt::format("[{}/{}] {}", index + 1, of, now_));
    if (style_ == progress_style::bar) draw();
}

void progress::run_done(const run_record& run) {
    if (style_ == progress_style::none) return;
    const std::lock_guard lock(mutex_);
    if (style_ == progress_style::bar) erase();
    if (run.number == 0)
        say(fmt::format("warm-up: {}", outcome_of(run)));
    else
        say(fmt::format("run {}: {}", run.number, outcome_of(run)));
}

void progress::draw_until_closed() {
    std::unique_lock lock(mutex_);
    while (!closing_.wait_for(lock, redraw_every, [this] { return closed_; }))
        if (of_ != 0) draw();
}

void progress::draw() {
    const std::size_t filled = bar_width * index_ / std::max<std::size_t>(of_, 1);
    const std::string bar = fmt::format("\r\033[K{}[{}{}]{} {} ({} tokens)", color_ ? "\033[36m" : "",
                                        std::string(filled, '#'), std::string(bar_width - filled, '-'),
                                        color_ ? "\033[0m" : "", now_, control_.tokens() - tokens_before_);
    std::fputs(bar.c_str(), stderr); // what cannot be written is not worth a run
    std::fflush(stderr);
}

void progress::erase() {
    std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
}

} // namespace chimera::host
