// The part of generation_engine that spoils replies on request.
#include <utility>

#include <fmt/format.h>

#include "generation_engine.hpp"

namespace chimera::sim {
namespace {

constexpr std::string_view no_json = "this is not JSON {[";
constexpr std::string_view failure_text = "an error was encountered while running the model: simulated fault";

} // namespace

/// Sees to the faults that change the whole reply, before its tokens are decided on. Most of them do so at one place
/// each: the head (status_201), the totals (bad_durations, finish_reason), the sends (slow_drip, clump), the end
/// (linger).
void generation_engine::shape(generation& reply) {
    const auto kind = reply.fault.kind;
    if (kind == fault_kind::none || strikes_once(kind)) {
        return;
    }
    ++stats_.faults;
    if (kind == fault_kind::no_text) {
        reply.request.format->reasoning.leave_out_text();
        reply.request.format->content.leave_out_text();
    } else if (kind == fault_kind::hidden_reasoning && reply.request.reply_tokens > 0) {
        reply.request.set_reasoning(reply.fault.tokens);
    }
}

/// True when the reply's fault struck now, before the next record.
bool generation_engine::strike(generation& reply) {
    const auto kind = reply.fault.kind;
    if (!strikes_once(kind) || reply.records < reply.fault.after) {
        return false;
    }
    ++stats_.faults;
    strike_stream(reply);
    return true;
}

void generation_engine::strike_stream(generation& reply) {
    const auto fault = std::exchange(reply.fault, {});
    auto& format = *reply.request.format;
    const auto start = [&] { return reply.head_sent ? std::string() : head(reply); };
    const auto record = format.as_record(R"({"response":"a record cut short by a fault of the simulator"})");
    switch (fault.kind) {
    case fault_kind::reset:
        reply.connection.reset();
        over(reply, generation::ending::drop);
        break;
    case fault_kind::stall:
        stall(reply, fault.ms);
        break;
    case fault_kind::garbage:
        settle(reply, deliver(reply, start() + framed(reply, format.as_record(no_json))));
        break;
    case fault_kind::oversized:
        settle(reply, deliver(reply, start() + framed(reply, format.oversized_record(oversized_record_bytes))));
        break;
    case fault_kind::error_record: {
        const auto error = format.as_record(format.error_body(500, failure_text));
        end_with(reply, start() + framed(reply, error) + (reply.chunked() ? "0\r\n\r\n" : ""),
                 generation::ending::keep);
        break;
    }
    case fault_kind::truncated_chunk:
        end_with(reply, start() + fmt::format("{:x}\r\n{}", record.size(), record.substr(0, record.size() / 2)),
                 generation::ending::close);
        break;
    case fault_kind::early_close:
        end_with(reply, start() + (reply.chunked() ? "0\r\n\r\n" : ""), generation::ending::keep);
        break;
    case fault_kind::bad_chunk:
        end_with(reply, start() + "XYZ\r\n" + record + "\r\n", generation::ending::close);
        break;
    default:
        break; // the others do not strike between records
    }
}

/// The same for a reply of one body, which the fault spoils as a whole or in its middle.
void generation_engine::strike_whole(generation& reply, std::string body) {
    using ending = generation::ending;
    ++stats_.faults;
    const auto fault = std::exchange(reply.fault, {});
    const auto full_head = [&](std::string_view text) { return head(reply, static_cast<std::int64_t>(text.size())); };
    const auto half = body.substr(0, body.size() / 2);
    switch (fault.kind) {
    case fault_kind::reset:
        // Whether the half arrives does not matter: the connection breaks either way.
        static_cast<void>(reply.connection.send(full_head(body) + half));
        reply.connection.reset();
        over(reply, ending::drop);
        return;
    case fault_kind::stall:
        stall(reply, fault.ms);
        return;
    case fault_kind::garbage:
        body = no_json;
        break;
    case fault_kind::oversized:
        body = reply.request.format->oversized_record(oversized_record_bytes);
        break;
    case fault_kind::error_record:
        body = reply.request.format->error_body(500, failure_text);
        break;
    case fault_kind::early_close:
        body.clear();
        break;
    case fault_kind::truncated_chunk:
        end_with(reply, full_head(body) + half, ending::close);
        return;
    case fault_kind::bad_chunk:
        end_with(reply, head(reply) + "XYZ\r\n" + body + "\r\n", ending::close);
        return;
    default:
        break;
    }
    end_with(reply, full_head(body) + body, ending::keep);
}

/// Sends nothing for `ms` (0: for ever). Slot and decoder stay taken, and tokens fall due meanwhile.
void generation_engine::stall(generation& reply, std::uint32_t ms) {
    reply.stalled = true;
    stop_timer(reply);
    if (ms > 0) {
        set_timer(reply, monotonic_ns() + std::int64_t{ms} * 1'000'000, false);
    }
}

void generation_engine::start_drip(generation& reply, std::string_view bytes) {
    reply.drip = bytes;
    reply.dripped = 0;
    reply.drip_at = monotonic_ns();
    set_timer(reply, reply.drip_at, false);
}

void generation_engine::drip_byte(generation& reply) {
    if (!reply.connection.blocked()) {
        // A byte that the kernel does not take now is kept by the connection and goes first.
        if (reply.connection.send({&reply.drip[reply.dripped], 1}) == output::failed) {
            settle(reply, output::failed);
            return;
        }
        ++reply.dripped;
    }
    if (reply.dripped < reply.drip.size()) {
        reply.drip_at += std::int64_t{reply.fault.ms} * 1'000'000;
        set_timer(reply, reply.drip_at, false);
        return;
    }
    reply.drip.clear();
    reply.dripped = 0;
    stop_timer(reply);
    settle(reply, reply.connection.blocked() ? output::blocked : output::sent);
}

/// Sends `bytes`, which are all of the reply but the end of its body. The slot is free, as for any finished reply.
void generation_engine::start_linger(generation& reply, std::string_view bytes) {
    reply.now = generation::phase::lingering;
    finish_decoding(reply, monotonic_ns());
    settle(reply, deliver(reply, bytes));
}

/// The time is over, or the client is to be kept waiting once more.
void generation_engine::linger_on(generation& reply) {
    stop_timer(reply);
    if (reply.fault.ms > 0) {
        end_with(reply, reply.chunked() ? "0\r\n\r\n" : "", generation::ending::keep);
    } else {
        settle(reply, deliver(reply, framed(reply, reply.request.format->keep_alive())));
    }
}

/// Keeps records as a proxy with a buffer does. They go with the first one that is due `ms` or more after those before
/// went, or at the end.
generation_engine::output generation_engine::hold_back(generation& reply, std::string_view bytes) {
    reply.held += bytes;
    const auto now = monotonic_ns();
    if (reply.released_at == 0) {
        reply.released_at = now;
    }
    const bool time_is_up = reply.fault.ms > 0 && now - reply.released_at >= std::int64_t{reply.fault.ms} * 1'000'000;
    if (reply.now != generation::phase::ending && !time_is_up) {
        return output::sent;
    }
    reply.released_at = now;
    return reply.connection.send(std::exchange(reply.held, {}));
}

} // namespace chimera::sim
