#include "sweep/cell_course.hpp"

#include "provenance/collect.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <system_error>
#include <utility>

#include <poll.h>

namespace chimera::host {
namespace {

bool is_readable(int fd) {
    pollfd p{fd, POLLIN, 0};
    return poll(&p, 1, 0) > 0;
}

} // namespace

const char* name_of(cell_course::stage s) noexcept {
    switch (s) {
    case cell_course::stage::before:
        return "before_cell";
    case cell_course::stage::ready:
        return "waiting for its server";
    case cell_course::stage::measuring:
        return "measuring";
    case cell_course::stage::measured:
        return "measured";
    case cell_course::stage::after:
        return "after_cell";
    case cell_course::stage::over:
        return "over";
    }
    return "unknown";
}

cell_course::cell_course(course_plan plan) : plan_(std::move(plan)) {
    result_.run = plan_.run;
    enter(stage::ready);
    if (plan_.conduct.before_cell.empty()) return;
    std::filesystem::create_directories(plan_.group / "logs");
    hook_.emplace(start_hook("before_cell", plan_.conduct.before_cell));
    enter(stage::before);
}

void cell_course::enter(stage s) {
    stage_ = s;
    since_ = utc_now();
}

hook cell_course::start_hook(const char* name, const std::string& line, std::vector<std::string> more) const {
    namespace fs = std::filesystem;
    const fs::path group = fs::absolute(plan_.group);
    std::vector<std::string> environment{fmt::format("CHIMERA_SWEEP={}", plan_.sweep),
                                         fmt::format("CHIMERA_RUNTIME={}", plan_.runtime),
                                         fmt::format("CHIMERA_CONFIG={}", plan_.config),
                                         fmt::format("CHIMERA_RUN={}", plan_.run),
                                         fmt::format("CHIMERA_CELL_DIR={}/run_{}", group.string(), plan_.run),
                                         fmt::format("CHIMERA_URLS={}", fmt::join(plan_.servers, " "))};
    environment.insert(environment.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    return {name, line, plan_.group / "logs" / fmt::format("run_{}.{}.log", plan_.run, name), std::move(environment),
            plan_.conduct.hook_limit_s};
}

int cell_course::end_fd() const noexcept { return hook_ ? hook_->end_fd() : process_ ? process_->end_fd() : -1; }

cell_course::clock::time_point cell_course::deadline() const noexcept {
    return hook_ ? hook_->deadline() : process_ ? process_->deadline() : clock::time_point::max();
}

void cell_course::measure() {
    process_.emplace(plan_.program, plan_.group, plan_.run, plan_.arguments, plan_.api_key, plan_.time_limit_s);
    enter(stage::measuring);
}

void cell_course::advance() {
    if (hook_ ? !is_readable(hook_->end_fd()) : !is_readable(process_->end_fd()))
        hook_ ? hook_->time_out() : process_->time_out();
    if (stage_ == stage::measuring) {
        result_ = process_->collect();
        process_.reset();
        return enter(stage::measured);
    }
    const std::string fault = hook_->collect();
    hook_.reset();
    if (!fault.empty()) fail(fault);
    enter(stage_ == stage::before && fault.empty() ? stage::ready : stage::over);
}

void cell_course::finish() {
    if (plan_.conduct.after_cell.empty()) return enter(stage::over);
    try {
        hook_.emplace(start_hook("after_cell", plan_.conduct.after_cell,
                                 {fmt::format("CHIMERA_STATUS={}", word_of(result_.status)),
                                  fmt::format("CHIMERA_MESSAGE={}", result_.message)}));
        enter(stage::after);
    } catch (const std::system_error& e) { // the cell is measured: it gets its line
        fail(fmt::format("after_cell cannot be started: {}", e.what()));
        enter(stage::over);
    }
}

void cell_course::fail(const std::string& fault) {
    if (result_.status == cell_status::ok) result_.message = fault;
    result_.status = cell_status::failed;
}

} // namespace chimera::host
