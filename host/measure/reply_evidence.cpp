#include "measure/reply_evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace chimera::host {
namespace {

constexpr nanoseconds_t together_below = 100'000, client_late = 1'000'000;
constexpr std::uint64_t fewest_gaps = 4;
constexpr std::int64_t slack_ns = 20'000'000;
constexpr std::int64_t wrong_unit = 5, noteworthy = 2;
constexpr std::uint64_t tokens_without_text = 16; ///< marks of beginnings and ends, counted by some servers

double ms(std::int64_t ns) { return static_cast<double>(ns) / 1e6; }

/// A run of records that came together.
struct clump {
    nanoseconds_t arrived = 0; ///< the first piece
    nanoseconds_t late = 0;    ///< the client, for that piece
    std::uint64_t records = 0;
};

/// Whether the client was so late that the records can have gathered meanwhile, at the pace of the reply. One clump
/// that is all of the reply shows no pace: then a tenth of the wait for it.
bool gathered_by_the_client(const clump& c, const request_record& r) {
    if (c.late <= client_late) return false;
    if (c.records == r.content_records) return c.late > (c.arrived - std::min(c.arrived, r.dispatched)) / 10;
    return c.late > c.records * (r.last_token - r.first_token) / (2 * (r.content_records - 1));
}

void judge_arrivals(const agent_record& a, request_record& r) {
    reply_evidence& e = r.evidence;
    clump now;
    nanoseconds_t previous = 0;
    const auto close = [&] {
        if (now.records > 1 && !gathered_by_the_client(now, r)) e.gaps_together += now.records - 1;
    };
    for (const chunk_event& c : a.pieces_of(r)) {
        if (c.content_records == 0) continue;
        const nanoseconds_t late = c.delivery_delay(), arrived = c.delivered - std::min(c.delivered, late);
        if (previous == 0 || arrived >= previous + together_below) {
            close();
            now = {arrived, late, 0};
        }
        now.records += c.content_records;
        e.gaps += (previous != 0 ? 1 : 0) + (c.content_records - 1);
        previous = arrived;
    }
    close();
    e.arrival_limited = e.gaps >= fewest_gaps && e.gaps_together * 2 > e.gaps;
    if (e.arrival_limited)
        r.remarks.push_back({"most records came together with others, so ITL, TPOT and a rate of arrivals say nothing "
                             "of the server (a proxy that buffers, or several tokens a step)",
                             fmt::format("{} of {} gaps between records were under 0.1 ms", e.gaps_together, e.gaps)});
}

void judge_tokens(request_record& r) {
    reply_evidence& e = r.evidence;
    if (!r.server.completion_tokens) return;
    const std::uint64_t counted = *r.server.completion_tokens, pieces = r.content_records;
    if (counted * 2 < pieces) {
        e.count_contradicted = true;
        r.remarks.push_back({"the server counts fewer tokens than pieces of text came; the pieces are counted",
                             fmt::format("{} tokens, {} pieces", counted, pieces)});
        return;
    }
    const std::uint64_t unsent = r.reasoning_records == 0 ? r.server.reasoning_tokens.value_or(0) : 0;
    if (unsent > 0 && unsent <= counted) {
        e.hidden_tokens = (counted - unsent) * 2 < pieces ? counted - std::min(counted, pieces) : unsent;
        r.remarks.push_back(
            {"the server counts reasoning that it did not send; tok/s and TPOT are of the visible tokens",
             fmt::format("{} of {} tokens", unsent, counted)});
    } else if (r.text_bytes > 0 && counted > r.text_bytes + tokens_without_text) {
        e.hidden_tokens = counted - std::min(counted, pieces);
        r.remarks.push_back({"the server counts more tokens than bytes of text came, so some were not sent; tok/s and "
                             "TPOT are of the pieces",
                             fmt::format("{} tokens, {} bytes in {} pieces", counted, r.text_bytes, pieces)});
    } else if (counted >= 2 * pieces && pieces >= 2) {
        r.remarks.push_back({"the server counts several tokens for each record, so ITL is of records, not of tokens",
                             fmt::format("{} tokens in {} records", counted, pieces)});
    }
}

/// Why the durations cannot be true; empty where nothing contradicts them.
std::string contradiction(const request_record& r) {
    const auto between = [](nanoseconds_t from, nanoseconds_t to) {
        return to > from ? static_cast<std::int64_t>(to - from) : std::int64_t{0};
    };
    const std::int64_t whole = between(r.dispatched, r.done), arriving = between(r.first_token, r.last_token);
    const server_figures& s = r.server;
    for (const auto& [name, value] : {std::pair{"total_duration", s.total_ns},
                                      {"load_duration", s.load_ns},
                                      {"prompt_eval_duration", s.prompt_eval_ns},
                                      {"eval_duration", s.eval_ns}})
        if (value && *value > whole + whole / 10 + slack_ns)
            return fmt::format("{} is {:.6g} ms, but the whole request took {:.6g} ms", name, ms(*value), ms(whole));
    for (const auto& [name, value] : {std::pair{"eval_duration", s.eval_ns}, {"total_duration", s.total_ns}})
        if (value && *value > 0 && arriving > slack_ns && arriving / wrong_unit > *value)
            return fmt::format("{} is {:.6g} ms, but the tokens came over {:.6g} ms", name, ms(*value), ms(arriving));
    constexpr double fastest_decoding = 1e5; // tokens/s of one reply
    if (r.content_records == 1 && s.eval_ns.value_or(0) > 0 && whole > slack_ns &&
        static_cast<double>(r.tokens()) / static_cast<double>(*s.eval_ns) * 1e9 > fastest_decoding)
        return fmt::format("eval_duration is {:.6g} ms for {} tokens", ms(*s.eval_ns), r.tokens());
    return {};
}

void judge_durations(request_record& r) {
    std::string why = contradiction(r);
    r.evidence.durations_contradicted = !why.empty();
    if (!why.empty()) {
        r.remarks.push_back(
            {"the server's durations contradict the arrival of the reply; none of them is used", std::move(why)});
        return;
    }
    const std::int64_t decoding = r.server.eval_ns.value_or(0);
    const auto arriving = static_cast<std::int64_t>(r.last_token > r.first_token ? r.last_token - r.first_token : 0);
    if (decoding > 0 && arriving - decoding > slack_ns && arriving / noteworthy > decoding)
        r.remarks.push_back(
            {"the tokens came more slowly than the server says that it made them; tok/s is the server's",
             fmt::format("eval_duration {:.6g} ms, arrival over {:.6g} ms", ms(decoding), ms(arriving))});
}

} // namespace

void judge_reply(const agent_record& a, request_record& r) {
    judge_arrivals(a, r);
    judge_tokens(r);
    judge_durations(r);
}

} // namespace chimera::host
