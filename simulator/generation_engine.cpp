#include "generation_engine.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace chimera::sim {
namespace {

constexpr std::size_t send_buffer_bytes = std::size_t{256} << 10;
constexpr std::size_t unpaced_send_bytes = std::size_t{64} << 10;
constexpr int timers_per_run = 512;
constexpr std::uint32_t keep_alive_ms = 100; ///< between the comments of a reply that lingers for ever

} // namespace

generation_engine::generation_engine(const options& o, server_stats& stats, wall_clock& clock)
    : options_(o), stats_(stats), clock_(clock), gpu_(o.contention, o.shared_gpu), runner_(o.slots),
      out_(send_buffer_bytes) {}

void generation_engine::submit(generation& reply, std::int64_t now) {
    reply.arrived = now;
    const auto& request = reply.request;
    if (request.unload) {
        runner_.unload();
        send_closing(reply);
        return;
    }
    shape(reply);
    reply.compose();
    runner_.enqueue(reply);
    start_what_can(now);
}

/// Lets the queue's head in for as long as something can start. `at` is the moment that made it possible.
void generation_engine::start_what_can(std::int64_t at) {
    generation* subject = nullptr;
    for (;;) {
        switch (runner_.next(subject)) {
        case model_runner<generation>::step::none:
            return;
        case model_runner<generation>::step::load:
            load_began_ = at;
            subject->now = generation::phase::loading;
            set_timer(*subject, at + static_cast<std::int64_t>(options_.load_ms * 1e6), false);
            break;
        case model_runner<generation>::step::start:
            begin_prefill(*subject, at);
            break;
        }
    }
}

void generation_engine::begin_prefill(generation& reply, std::int64_t at) {
    reply.has_slot = true;
    reply.now = generation::phase::prefill;
    reply.load = std::max<std::int64_t>(0, loaded_at_ - std::max(reply.arrived, load_began_));
    reply.prefill_began = at;
    set_timer(reply, at + prefill_ns(options_, reply.request.prompt_tokens, reply.request.runner.num_ctx), false);
}

void generation_engine::begin_decoding(generation& reply, std::int64_t at) {
    reply.now = generation::phase::decoding;
    reply.decode_began = at;
    if (reply.tokens.empty()) {
        send_closing(reply);
        return;
    }
    const auto rate = decode_rate(options_, reply.request.runner.num_gpu);
    reply.twin = equals_.enter(reply.request.reply_seed);
    const auto jitter_seed = reply.request.reply_seed + 1 + (reply.twin == 0 ? 0 : mix(reply.twin));
    reply.grid = token_grid(gpu_.progress_at(at), rate, reply.token_count(), options_.jitter, jitter_seed);
    reply.decoding = true;
    gpu_.start_decoder(monotonic_ns());
    const bool strikes_first = strikes_once(reply.fault.kind) && reply.fault.after == 0;
    if (reply.request.stream && !strikes_first) {
        const auto opening = reply.request.format->opening(monotonic_ns());
        if (!opening.empty()) {
            settle(reply, deliver(reply, head(reply) + framed(reply, opening)));
            return;
        }
    }
    arm_next_token(reply);
}

void generation_engine::arm_next_token(generation& reply) {
    if (options_.decode_tokens_per_s <= 0) {
        stop_timer(reply);
        unpaced_.push_back(&reply);
        return;
    }
    const auto last = reply.token_count() - 1;
    const auto with_it = !reply.request.stream    ? last
                         : reply.next_is_unsent() ? reply.unsent_to - 1
                                                  : std::min(reply.next + options_.records_per_send - 1, last);
    set_timer(reply, reply.grid.due(with_it), true);
}

void generation_engine::on_timer(generation& reply, std::int64_t deadline) {
    if (reply.dripped < reply.drip.size()) {
        drip_byte(reply);
        return;
    }
    switch (reply.now) {
    case generation::phase::loading:
        stop_timer(reply);
        reply.now = generation::phase::queued;
        loaded_at_ = deadline;
        runner_.finish_load(reply.key());
        start_what_can(deadline);
        break;
    case generation::phase::prefill:
        stop_timer(reply);
        begin_decoding(reply, deadline);
        break;
    default:
        if (reply.stalled) {
            reply.stalled = false;
            reply.held_until = monotonic_ns();
            settle(reply, reply.connection.blocked() ? output::blocked : output::sent);
        } else if (reply.now == generation::phase::lingering) {
            linger_on(reply);
        } else if (reply.request.stream) {
            send_tokens(reply);
        } else {
            send_whole(reply);
        }
    }
}

void generation_engine::send_tokens(generation& reply) {
    if (reply.next_is_unsent()) {
        pass_unsent(reply);
        return;
    }
    if (strike(reply)) {
        return;
    }
    const bool paced = options_.decode_tokens_per_s > 0;
    const bool thinking = reply.next < reply.request.reasoning_tokens;
    auto& record = thinking ? reply.request.format->reasoning : reply.request.format->content;
    const auto end = thinking ? reply.request.reasoning_tokens : reply.token_count();
    std::size_t count = end - reply.next;
    if (paced) {
        count = std::min<std::size_t>(count, options_.records_per_send);
    } else {
        count = std::min(count, std::max<std::size_t>(unpaced_send_bytes / record.longest(), 1));
    }
    if (reply.records < reply.fault.after) {
        count = std::min<std::size_t>(count, reply.fault.after - reply.records);
    } else if (reply.fault.kind == fault_kind::slow_drip) {
        count = 1;
    }

    out_.clear();
    if (!reply.head_sent) {
        out_.put(head(reply));
    }
    const auto sent = monotonic_ns();
    record.stamp(sent, clock_);
    record.write(out_, std::span(reply.tokens).subspan(reply.next, count), options_.records_per_send, reply.chunked());
    const auto result = deliver(reply, out_.view());
    const auto first = reply.next;
    reply.next += static_cast<std::uint32_t>(count);
    reply.records += static_cast<std::uint32_t>(count);
    reply.last_token_at = sent;
    stats_.tokens_sent += count;
    if (paced) {
        count_lateness(reply, first, static_cast<std::uint32_t>(count), sent);
    }
    if (reply.next == reply.token_count()) {
        finish_decoding(reply, sent);
    }
    settle(reply, result);
}

/// The unsent tokens are over: goes on with the next token, or with the end.
void generation_engine::pass_unsent(generation& reply) {
    stop_timer(reply);
    const auto now = monotonic_ns();
    reply.next = reply.unsent_to;
    reply.last_token_at = now;
    if (reply.next == reply.token_count()) {
        finish_decoding(reply, now);
    }
    proceed(reply);
}

void generation_engine::send_whole(generation& reply) {
    const auto sent = monotonic_ns();
    reply.next = reply.token_count();
    reply.last_token_at = sent;
    stats_.tokens_sent += reply.next - (reply.unsent_to - reply.unsent_from);
    if (options_.decode_tokens_per_s > 0) {
        count_lateness(reply, reply.next - 1, 1, sent);
    }
    finish_decoding(reply, sent);
    send_closing(reply);
}

void generation_engine::count_lateness(const generation& reply, std::uint32_t first, std::uint32_t count,
                                       std::int64_t sent) {
    const auto due = gpu_.time_of(reply.grid.due(first + count - 1));
    if (due < reply.held_until) {
        stats_.tokens_held_back += count;
    } else {
        stats_.lateness.add(sent - due);
    }
}

void generation_engine::finish_decoding(generation& reply, std::int64_t now) {
    if (std::exchange(reply.decoding, false)) {
        gpu_.stop_decoder(now);
        equals_.leave(reply.request.reply_seed, reply.twin);
    }
    if (std::exchange(reply.has_slot, false)) {
        runner_.release();
        start_what_can(now);
    }
}

void generation_engine::send_closing(generation& reply) {
    const auto sent = monotonic_ns();
    auto& format = *reply.request.format;
    if (!reply.request.stream) {
        auto body = format.whole(reply.totals(sent), reply.tokens, sent, clock_);
        if (strikes_once(reply.fault.kind)) {
            strike_whole(reply, std::move(body));
        } else if (reply.fault.kind == fault_kind::linger) {
            auto bytes = head(reply);
            start_linger(reply, bytes + framed(reply, body));
        } else {
            end_with(reply, head(reply, static_cast<std::int64_t>(body.size())) + body, generation::ending::keep);
        }
        return;
    }
    if (strike(reply)) {
        return;
    }
    std::string bytes;
    if (!reply.head_sent) {
        bytes = head(reply);
    }
    for (const auto& record : format.closing(reply.totals(sent), sent, clock_)) {
        bytes += framed(reply, record);
    }
    if (reply.fault.kind == fault_kind::linger) {
        start_linger(reply, bytes);
        return;
    }
    if (reply.chunked()) {
        bytes += "0\r\n\r\n";
    }
    end_with(reply, bytes, generation::ending::keep);
}

generation_engine::output generation_engine::deliver(generation& reply, std::string_view bytes) {
    if (reply.fault.kind == fault_kind::slow_drip && reply.records >= reply.fault.after) {
        start_drip(reply, bytes);
        return output::blocked;
    }
    if (reply.fault.kind == fault_kind::clump && reply.records >= reply.fault.after) {
        return hold_back(reply, bytes);
    }
    return reply.connection.send(bytes);
}

/// Goes on after a send, at once or (by resume) when the socket has taken the rest.
void generation_engine::settle(generation& reply, output result) {
    switch (result) {
    case output::sent:
        proceed(reply);
        break;
    case output::blocked:
        if (reply.drip.empty()) {
            stop_timer(reply);
        }
        break;
    case output::failed:
        ++stats_.send_errors;
        over(reply, generation::ending::drop);
        break;
    }
}

void generation_engine::proceed(generation& reply) {
    if (reply.now == generation::phase::ending) {
        over(reply, reply.end);
    } else if (reply.now == generation::phase::lingering) {
        const auto ms = reply.fault.ms > 0 ? reply.fault.ms : keep_alive_ms;
        set_timer(reply, monotonic_ns() + std::int64_t{ms} * 1'000'000, false);
    } else if (reply.next < reply.token_count()) {
        arm_next_token(reply);
    } else {
        send_closing(reply);
    }
}

void generation_engine::end_with(generation& reply, std::string_view bytes, generation::ending end) {
    reply.now = generation::phase::ending;
    reply.end = end;
    finish_decoding(reply, monotonic_ns());
    settle(reply, deliver(reply, bytes));
}

void generation_engine::over(generation& reply, generation::ending end) {
    reply.end = end;
    if (reply.now == generation::phase::ending && end != generation::ending::drop) {
        ++stats_.replies_completed;
    }
    let_go(reply, monotonic_ns());
    finished_.push_back(&reply);
}

void generation_engine::cancel(generation& reply, std::int64_t now) {
    if (std::erase(finished_, &reply) > 0) {
        return;
    }
    ++stats_.replies_cancelled;
    let_go(reply, now);
}

void generation_engine::let_go(generation& reply, std::int64_t now) {
    stop_timer(reply);
    std::erase(unpaced_, &reply);
    if (reply.now == generation::phase::queued || reply.now == generation::phase::loading) {
        runner_.withdraw(reply);
    }
    finish_decoding(reply, now);
    start_what_can(now);
}

void generation_engine::resume(generation& reply, std::int64_t now) {
    reply.held_until = now;
    if (!reply.stalled && reply.drip.empty()) {
        proceed(reply);
    }
}

void generation_engine::run() {
    gpu_.look_at_others(monotonic_ns());
    for (int left = timers_per_run; left > 0 && run_timers(monotonic_ns()); --left) {
    }
    run_unpaced();
}

bool generation_engine::run_timers(std::int64_t now) {
    bool ran = false;
    if (!by_time_.empty() && by_time_.next_deadline() <= now) {
        on_timer(by_time_.next_owner(), by_time_.next_deadline());
        ran = true;
    }
    if (!by_progress_.empty() && by_progress_.next_deadline() <= gpu_.progress_at(now)) {
        on_timer(by_progress_.next_owner(), by_progress_.next_deadline());
        ran = true;
    }
    return ran;
}

/// Fills one buffer for each reply in turn, as long as its socket takes it; a reply with more to send comes again.
void generation_engine::run_unpaced() {
    auto turn = std::exchange(unpaced_, {});
    for (auto* reply : turn) {
        reply->request.stream ? send_tokens(*reply) : send_whole(*reply);
    }
    if (unpaced_.empty()) {
        turn.clear();
        unpaced_ = std::move(turn);
    }
}

std::int64_t generation_engine::next_wake(std::int64_t now) const {
    if (!unpaced_.empty()) {
        return 0;
    }
    std::int64_t wake = gpu_.next_look(now);
    if (!by_time_.empty()) {
        wake = std::min(wake, by_time_.next_deadline());
    }
    if (!by_progress_.empty()) {
        wake = std::min(wake, gpu_.time_of(by_progress_.next_deadline()));
    }
    return wake;
}

std::vector<generation*> generation_engine::take_finished() { return std::exchange(finished_, {}); }

void generation_engine::set_timer(generation& reply, std::int64_t deadline, bool counts_progress) {
    if (reply.timer_counts_progress != counts_progress) {
        stop_timer(reply);
    }
    reply.timer_counts_progress = counts_progress;
    (counts_progress ? by_progress_ : by_time_).set(reply, deadline);
}

void generation_engine::stop_timer(generation& reply) {
    (reply.timer_counts_progress ? by_progress_ : by_time_).remove(reply);
}

/// Head of the reply; marks it as sent.
std::string generation_engine::head(generation& reply, std::int64_t body_size) {
    reply.head_sent = true;
    const bool until_close = body_size < 0 && reply.http_1_0;
    if (until_close) {
        reply.keep_alive = false;
    }
    const auto type = reply.request.stream ? reply.request.format->stream_type() : "application/json; charset=utf-8";
    const auto status = reply.fault.kind == fault_kind::status_201 ? 201 : 200;
    return response_head(status, type, body_size, reply.keep_alive, {}, reply.http_1_0);
}

std::string generation_engine::framed(const generation& reply, std::string_view record) const {
    if (!reply.chunked()) {
        return std::string(record);
    }
    return fmt::format("{:x}\r\n{}\r\n", record.size(), record);
}

} // namespace chimera::sim
