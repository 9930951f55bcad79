#include "report/trace_events.hpp"

#include "measure/poll_log.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

constexpr nanoseconds_t wake_shown_as = 1000; // a wake has no length; an arrow needs a slice to start from

// Colours of chrome://tracing.
constexpr const char* red = "terrible";
constexpr const char* orange = "bad";

struct slice {
    nanoseconds_t begin, end;
    const char* category;
    std::string name;
    json arguments = nullptr;
    const char* color = nullptr;
    int arrow = 0; ///< starts here (a wake) or ends here (a poll); 0: none
};

/// Slices of one track have to nest. They come from different clocks' readings of one thread, so an end may lie some
/// nanoseconds late: what does not nest is cut. A wake contains nothing.
void nest(std::vector<slice>& slices) {
    std::ranges::stable_sort(
        slices, [](const slice& a, const slice& b) { return a.begin != b.begin ? a.begin < b.begin : a.end > b.end; });
    std::vector<slice*> open;
    for (slice& s : slices) {
        while (!open.empty() && open.back()->end <= s.begin) open.pop_back();
        if (!open.empty() && open.back()->category == std::string_view("wake")) {
            open.back()->end = s.begin;
            open.pop_back();
        }
        if (!open.empty()) s.end = std::min(s.end, open.back()->end);
        open.push_back(&s);
    }
}

/// One execution on its way into the trace.
class writer {
  public:
    writer(const execution_record& x, nanoseconds_t threshold, nanoseconds_t origin, int process, int& tracks,
           int& arrows)
        : x_(x), threshold_(threshold), origin_(origin), process_(process), tracks_(tracks), arrows_(arrows) {}

    std::string write(const std::string& name) {
        metadata("process_name", 0, {{"name", name}});
        metadata("process_sort_index", 0, {{"sort_index", process_}});
        for (const agent_record& a : x_.agents) {
            polls(a);
            agent(a);
        }
        for (auto& [id, t] : threads_) {
            const std::string shown = t.name.empty() ? "ended" : t.name;
            track(fmt::format("{} {}", t.polled ? "worker" : "thread", shown), t.polled ? 0 : 2, t.slices);
        }
        return std::move(out_);
    }

  private:
    struct thread_track {
        std::string name;
        bool polled = false;
        std::vector<slice> slices;
    };

    double at(nanoseconds_t t) const { return t > origin_ ? static_cast<double>(t - origin_) / 1e3 : 0; }
    /// Where something that did not come to its end is cut.
    nanoseconds_t end_of(const agent_record& a) const { return a.end ? a.end : x_.end; }
    nanoseconds_t end_of(const agent_record& a, const request_record& r) const { return r.done ? r.done : end_of(a); }
    static double ms(nanoseconds_t from, nanoseconds_t to) {
        return to > from ? static_cast<double>(to - from) / 1e6 : 0;
    }

    void emit(const json& event) {
        if (!out_.empty()) out_ += ",\n";
        out_ += event.dump(-1, ' ', false, json::error_handler_t::replace);
    }
    void metadata(const char* what, int track, json arguments) {
        emit({{"ph", "M"}, {"pid", process_}, {"tid", track}, {"name", what}, {"args", std::move(arguments)}});
    }

    /// Workers stand above agents, agents above threads that only wake.
    void track(const std::string& name, int rank, std::vector<slice>& slices) {
        const int id = ++tracks_;
        metadata("thread_name", id, {{"name", name}});
        metadata("thread_sort_index", id, {{"sort_index", rank * 1'000'000 + id}});
        nest(slices);
        for (slice& s : slices) {
            json event{{"ph", "X"},
                       {"pid", process_},
                       {"tid", id},
                       {"ts", at(s.begin)},
                       {"dur", static_cast<double>(s.end - s.begin) / 1e3},
                       {"cat", s.category},
                       {"name", std::move(s.name)}};
            if (s.color) event["cname"] = s.color;
            if (!s.arguments.is_null()) event["args"] = std::move(s.arguments);
            emit(event);
            if (!s.arrow) continue;
            const bool starts = s.category == std::string_view("wake");
            json arrow{{"ph", starts ? "s" : "f"}, {"pid", process_}, {"tid", id}, {"ts", at(s.begin)}, {"cat", "wake"},
                       {"name", "wake"},           {"id", s.arrow}};
            if (!starts) arrow["bp"] = "e"; // binds to the slice around it
            emit(arrow);
        }
    }

    thread_track& thread(const agent_record& a, thread_id id) {
        thread_track& t = threads_[id];
        if (t.name.empty()) t.name = std::ranges::find(a.log->threads, id, &poll_log::named_thread::id)->name;
        return t;
    }

    void polls(const agent_record& a) {
        for (const poll_event& p : a.log->polls) {
            slice s{p.begin, p.end, "poll", fmt::format("{}: {}", a.id, name_of(p.stage))};
            if (p.end - p.begin > threshold_) {
                const auto named = std::ranges::find(a.long_polls, p.begin, &long_poll::begin);
                const char* stage = name_of(named != a.long_polls.end() ? named->stage : p.stage);
                s.category = "long_poll";
                s.name = fmt::format("{} holds this worker for {:.0f} ms: {}", a.id, ms(p.begin, p.end), stage);
                s.arguments = {{"agent", a.id}, {"stage", stage}, {"ms", ms(p.begin, p.end)}};
                s.color = red;
            }
            if (p.woken_by) {
                s.arrow = ++arrows_;
                thread(a, p.woken_by)
                    .slices.push_back(
                        {p.runnable, p.runnable + wake_shown_as, "wake", "wake " + a.id, nullptr, nullptr, s.arrow});
            }
            thread_track& t = thread(a, p.worker);
            t.polled = true;
            t.slices.push_back(std::move(s));
        }
    }

    void agent(const agent_record& a) {
        std::vector<slice> slices;
        const auto add = [&](nanoseconds_t begin, nanoseconds_t end, const char* category, std::string name,
                             json arguments = nullptr, const char* color = nullptr) {
            if (begin && end > begin)
                slices.push_back({begin, end, category, std::move(name), std::move(arguments), color});
        };
        if (a.permit_asked) add(a.permit_asked, a.start ? a.start : end_of(a), "permit", "waiting for a permit");
        if (a.start)
            add(a.start, end_of(a), "agent", a.id,
                a.error.empty() ? json{{"polls", a.polls}} : json{{"polls", a.polls}, {"error", a.error}});
        nanoseconds_t since = a.start;
        for (const request_record& r : a.requests) {
            add(since, r.intended, "work", since == a.start ? "ingest" : "between calls");
            request(a, r, add);
            since = end_of(a, r);
        }
        add(since, a.end, "work", a.requests.empty() ? "ingest" : "after the last call");
        late(a, add);
        track(a.id, 1, slices);
        tokens(a);
    }

    template <class Add>
    void request(const agent_record& a, const request_record& r, const Add& add) {
        json arguments{{"status", r.status},
                       {"tokens", r.tokens()},
                       {"seed", r.seed},
                       {"reused", r.reused},
                       {"retries", r.retries}};
        if (r.first_token) arguments["ttft_ms"] = ms(r.dispatched, r.first_token);
        if (!r.error.empty()) arguments["error"] = r.error;
        const nanoseconds_t end = end_of(a, r);
        add(r.dispatched, end, "request", r.ok() ? r.call : r.call + " (failed)", std::move(arguments),
            r.ok() ? nullptr : red);
        add(r.dispatched, r.first_token ? r.first_token : end, "request", "waiting for the first token");
        add(r.first_token, r.last_token, "request", "tokens");
    }

    /// An agent that has not been polled yet has been runnable since the executor began.
    template <class Add>
    void late(const agent_record& a, const Add& add) {
        const auto add_late = [&](nanoseconds_t runnable, nanoseconds_t polled) {
            if (polled > runnable && polled - runnable > threshold_)
                add(runnable, polled, "runnable",
                    fmt::format("runnable, not polled for {:.0f} ms", ms(runnable, polled)),
                    json{{"agent", a.id}, {"ms", ms(runnable, polled)}}, orange);
        };
        add_late(std::max(a.spawned, x_.begin), a.first_polled ? a.first_polled : x_.end);
        for (const poll_event& p : a.log->polls)
            if (p.runnable) add_late(p.runnable, p.begin);
    }

    void tokens(const agent_record& a) {
        std::uint64_t count = 0;
        const auto point = [&](nanoseconds_t t) {
            emit({{"ph", "C"},
                  {"pid", process_},
                  {"ts", at(t)},
                  {"name", "tokens of " + a.id},
                  {"args", {{"tokens", count}}}});
        };
        point(x_.begin);
        for (const chunk_event& c : a.chunks.all()) {
            if (c.content_records == 0) continue;
            count += c.content_records;
            point(c.delivered);
        }
    }

    const execution_record& x_;
    const nanoseconds_t threshold_, origin_;
    const int process_;
    int& tracks_;
    int& arrows_;
    std::map<thread_id, thread_track> threads_;
    std::string out_;
};

} // namespace

std::string trace_events::render(const std::string& name, const execution_record& x) {
    if (origin_ == 0) {
        origin_ = x.begin;
        for (const agent_record& a : x.agents) origin_ = std::min(origin_, a.spawned);
    }
    return writer(x, threshold_, origin_, ++processes_, tracks_, arrows_).write(name);
}

} // namespace chimera::host
