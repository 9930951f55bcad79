#include "agent/llm_client.hpp"

#include "agent/reply_faults.hpp"
#include "process/secrets.hpp"
#include "protocol/excerpt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace chimera::host {
namespace {

constexpr std::size_t error_body_limit = 65'536;
constexpr std::uint64_t least_of_piece = 128;   ///< the record of a piece's times takes this much memory
constexpr std::size_t rest_limit = 65'536;      ///< bytes after an answer; more are not read
constexpr std::size_t long_reply_kept = 65'536; ///< of the text of a reply that is too long
constexpr std::size_t finish_reason_limit = 256;
constexpr nanoseconds_t error_body_time = 2'000'000'000; ///< to read the body of an error response
constexpr nanoseconds_t end_mark_grace = 1'000'000'000;  ///< after a finish reason, for usage and [DONE]
constexpr nanoseconds_t late_end = 50'000'000;
constexpr std::uint32_t most_redirects = 5;

chm_session_args session_args(const llm_endpoint& endpoint, const llm_transport& by) {
    chm_session_args args{};
    args.size = sizeof args;
    args.executor = by.executor;
    args.reactor = by.reactor;
    args.base_url = sdk::str(endpoint.target.origin);
    return args;
}

std::string_view header_of(const chm_head& head, std::string_view name) {
    for (std::size_t i = 0; i < head.n_headers; ++i)
        if (same_header_name(sdk::view(head.headers[i].key), name)) return sdk::view(head.headers[i].value);
    return {};
}

/// The reply is longer than backend.max_reply_bytes.
struct long_reply : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Cuts a text between characters.
void shorten(std::string& text, std::size_t limit) {
    if (text.size() <= limit) return;
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U) --limit;
    text.resize(limit);
}

/// A server's text as it is written to files. A server may send back the request: the key must not reach a file that
/// way, not even a part of it at the cut.
std::string recorded(std::string_view text, std::size_t limit) {
    constexpr std::size_t longest_form = 65'536; // of a key, encoded
    std::string kept(text.substr(0, limit + std::min(longest_form, std::string::npos - limit)));
    redact(kept);
    shorten(kept, limit);
    return kept;
}

double ms(nanoseconds_t ns) { return static_cast<double>(ns) / 1e6; }

/// A token of English text has four or five bytes. A longer reply costs an allocation now and then.
stream_options room_for(const llm_endpoint& endpoint) {
    stream_options options;
    options.reserve_text_bytes = std::min(options.reserve_text_bytes, 6 * endpoint.expected_tokens);
    return options;
}

} // namespace

llm_client::llm_client(const llm_endpoint& endpoint, const llm_transport& by, recorder& log, think_timer& timer)
    : endpoint_(endpoint), recorder_(log),
      timing_(static_cast<const chm_timing_ext*>(by.transport->vt->get_extension(by.transport, CHM_EXT_TIMING))),
      shares_((by.transport->vt->flags & CHM_TRANSPORT_SHARED) != 0),
      session_(by.transport, session_args(endpoint_, by)), stream_(endpoint_.api, room_for(endpoint_)), timer_(timer) {}

sdk::task<const request_record*> llm_client::call(std::string name, std::string prompt, nanoseconds_t intended) {
    request_record& r = recorder_.begin_request(std::move(name));
    r.intended = intended;
    r.shared = shares_;
    const std::int64_t seed = endpoint_.seed.value_or(call_seed(endpoint_.seed_base, recorder_.record().id, calls_++));
    r.seed = static_cast<std::uint64_t>(seed);
    r.prompt = std::move(prompt);
    return carry_out(r);
}

/// One coroutine for all of it: the frame of each takes memory of every agent that waits.
sdk::task<const request_record*> llm_client::carry_out(request_record& r) {
    try {
        redirects_ = 0;
        std::unique_ptr<const request_target> elsewhere; // where redirects have led to
        for (;;) {
            const request_target& target = elsewhere ? *elsewhere : endpoint_.target;
            sdk::exchange x = start(target, r);
            auto arriving_head = x.head();
            chm_head head{};
            try {
                head = co_await arriving_head;
            } catch (const sdk::error&) {
                read_timing(r, x); // whether it had a connection, and was sent
                throw;
            }
            if (!accept(r, x, head)) {
                auto refusing = refuse(r, x, head, target);
                elsewhere = co_await refusing;
                continue;
            }
            try {
                for (;;) {
                    timed_chunk arriving(x, timer_, wait_until_, run_);
                    const std::optional<std::string_view> piece = co_await arriving;
                    if (arriving.timed_out()) gave_up(r);
                    if (!piece || !take(r, x, *piece)) break;
                }
            } catch (const sdk::error& e) { // after the answer it is only a remark
                if (r.done == 0 && wait_until_ == 0) throw;
                if (r.done != 0 || finish_reason_at_ != 0)
                    r.remarks.push_back({"the body was cut off after the answer", e.what()});
            }
            finish(r);
            break;
        }
    } catch (const std::exception& e) {
        r.error = e.what();
        too_long_ = dynamic_cast<const long_reply*>(&e) != nullptr;
    }
    if (!r.error.empty() && r.error.find(endpoint_.target.origin) == std::string::npos)
        r.error = fmt::format("{}: {}", endpoint_.target.url(), r.error);
    conclude(r);
    recorder_.stage(agent_stage::between_calls);
    recorder_.end_request(r);
    co_return &r;
}

/// The same each time. An agent that waits for its reply does not keep it: few requests are sent again or refused.
request_body llm_client::body_of(const request_record& r) const {
    generate_request request{endpoint_.model, r.prompt, std::nullopt, endpoint_.options, endpoint_.body_edits};
    request.options.push_back({"seed", static_cast<std::int64_t>(r.seed)});
    return build_request(endpoint_.api, request);
}

/// Copies the stream's result into the record.
void llm_client::conclude(request_record& r) {
    const stream_state& got = stream_.state();
    r.server = got.figures;
    const std::size_t kept = too_long_ ? long_reply_kept : std::string::npos;
    r.server.finish_reason = recorded(got.figures.finish_reason, finish_reason_limit);
    r.response = recorded(got.text, kept);
    r.reasoning = recorded(got.reasoning, kept);
    redact(r.error);
    r.reasoning_first = got.first_content_was_reasoning;
    r.reasoning_records = got.reasoning_records;
    r.tool_call_records = got.tool_call_records;
    r.text_bytes = got.text_bytes;
    if (r.error.empty()) remark_on(r, got);
    for (remark& said : r.remarks) redact(said.detail);
}

/// Adds remarks on a reply that succeeded.
void llm_client::remark_on(request_record& r, const stream_state& got) {
    for (remark& said : remarks_on(got)) r.remarks.push_back(std::move(said));
    if (r.retries > 0)
        r.remarks.push_back({"sent again over a new connection, because the server had closed the idle one", {}});
    if (is_unknown_reason(got.figures.finish_reason))
        r.remarks.push_back({"the finish reason is not a usual one", excerpt(got.figures.finish_reason, 60)});
    if (got.content_records == got.reasoning_records)
        r.remarks.push_back({"reasoning only: the reply has no text and no tool call",
                             fmt::format("finish reason \"{}\"", excerpt(got.figures.finish_reason, 40))});
}

sdk::exchange llm_client::start(const request_target& target, request_record& r) {
    const request_body body = body_of(r);
    if (r.dispatched == 0) r.dispatched = sdk::now_ns();
    const auto headers = headers_of(endpoint_, true);
    std::vector<chm_kv> fields;
    for (const auto& [name, value] : headers) fields.push_back({sdk::str(name), sdk::str(value)});
    chm_request request{};
    request.size = sizeof request;
    request.method = sdk::str("POST");
    request.path = sdk::str(target.path);
    request.headers = fields.data();
    request.n_headers = static_cast<std::uint32_t>(fields.size());
    request.body = sdk::str(body.json);
    stream_.reset();
    decoder_.reset();
    wait_until_ = finish_reason_at_ = 0;
    taken_ = 0;
    too_long_ = false;
    rest_ = 0;
    recorder_.stage(agent_stage::first_byte);
    return session_.start(request);
}

/// Records the head. False: the status is not 2xx.
bool llm_client::accept(request_record& r, const sdk::exchange& x, const chm_head& head) {
    r.status = head.status;
    const nanoseconds_t readable = read_timing(r, x);
    if (r.first_byte == 0) r.first_byte = sdk::now_ns();
    recorder_.head(r, readable);
    if (head.status < 200 || head.status > 299) return false;
    if (const std::string_view coding = header_of(head, "content-encoding"); !coding.empty())
        decoder_ = content_decoder::of(coding, endpoint_.max_reply_bytes);
    if (!header_of(head, "content-length").empty() && !header_of(head, "transfer-encoding").empty())
        r.remarks.push_back({"the head has both Transfer-Encoding and Content-Length; the former counts", {}});
    if (decoder_) r.remarks.push_back({"the body was compressed without being asked for", decoder_->name()});
    return true;
}

/// Returns the target of a redirect that may be followed. Throws the server's words otherwise.
sdk::task<std::unique_ptr<const request_target>> llm_client::refuse(request_record& r, sdk::exchange& x,
                                                                    const chm_head& head, const request_target& from) {
    const response_headers headers{std::string(header_of(head, "location")),
                                   std::string(header_of(head, "retry-after"))};
    const std::string coding(header_of(head, "content-encoding"));
    std::string text;
    try {
        decoder_ = content_decoder::of(coding, error_body_limit);
        const nanoseconds_t last = sdk::now_ns() + error_body_time;
        std::size_t taken = 0; // a compressed body may go on without end and decode to nothing
        while (text.size() < error_body_limit && taken < error_body_limit) {
            timed_chunk arriving(x, timer_, std::min(sdk::now_ns() + end_mark_grace, last), run_);
            const std::optional<std::string_view> piece = co_await arriving;
            if (!piece) break;
            taken += piece->size();
            if (decoder_)
                decoder_->decode(*piece, [&text](std::string_view decoded) { text += decoded; });
            else
                text += *piece;
        }
    } catch (const std::exception& e) { // the status matters more
        if (text.empty()) text = e.what();
    }
    const bool may_follow = endpoint_.follow_redirects && (r.status == 307 || r.status == 308);
    std::optional<request_target> to = may_follow ? redirected(from, headers.location) : std::nullopt;
    if (!to || redirects_ == most_redirects)
        throw std::runtime_error(fault_of_status(r.status, headers, text, from, body_of(r).json, redirects_));
    const nanoseconds_t now = sdk::now_ns();
    r.redirecting += now > r.sent && r.sent != 0 ? now - r.sent : 0;
    r.first_byte = 0;
    ++redirects_;
    r.remarks.push_back({"redirected by the server; the detour is in TTFT and E2E", excerpt(to->url(), 300)});
    co_return std::make_unique<const request_target>(std::move(*to));
}

/// False: the rest of the body does not matter, and the exchange is to be cancelled. This is not part of the coroutine,
/// so that the state of a token is in registers and not in the memory of each agent's coroutine.
bool llm_client::take(request_record& r, const sdk::exchange& x, std::string_view piece) {
    const nanoseconds_t delivered = sdk::now_ns();
    run_.add(piece.size(), delivered - std::exchange(taken_at_, delivered));
    if (r.done != 0) {
        rest_ += piece.size();
        if (!decoder_) stream_.feed(piece); // counts records after the end
        return rest_ < rest_limit;
    }
    taken_ += std::max<std::uint64_t>(piece.size(), least_of_piece);
    if (taken_ > endpoint_.max_reply_bytes) refuse_long_reply();
    nanoseconds_t recorded = delivered;
    feed_result got;
    if (recorder_.times_pieces()) {
        chm_exchange_timing timing{};
        timing.size = sizeof timing;
        if (timing_) timing_->read(x.get(), &timing);
        got = feed(piece);
        taken_at_ = recorded = sdk::now_ns();
        recorder_.chunk(r, timing.readable_ns, delivered, recorded, got.content_records, got.first_t_ns,
                        timing.behind_others_ns);
    } else {
        got = feed(piece);
        recorder_.count(r, delivered, got.content_records);
    }
    if (got.instead_of_stream) { // its end may never come
        wait_until_ = recorded + end_mark_grace;
        return true;
    }
    if (got.finished) {
        r.done = recorded;
        wait_until_ = recorded + endpoint_.drain_ns;
        recorder_.stage(agent_stage::end_of_body);
    } else if (!stream_.state().figures.finish_reason.empty() &&
               (finish_reason_at_ == 0 || got.content_records != 0)) { // usage and [DONE] may follow, or nothing
        finish_reason_at_ = recorded;
        wait_until_ = recorded + end_mark_grace;
    }
    return !got.failed;
}

feed_result llm_client::feed(std::string_view piece) {
    if (!decoder_) return stream_.feed(piece);
    feed_result all;
    try {
        decoder_->decode(piece, [&](std::string_view decoded) { all += stream_.feed(decoded); });
    } catch (const decoded_too_long&) {
        if (!all.finished) refuse_long_reply();
    } catch (const std::runtime_error&) {
        if (!all.finished) throw; // after the answer, damage does not count
    }
    return all;
}

void llm_client::refuse_long_reply() const {
    throw long_reply(
        fmt::format("the reply is longer than backend.max_reply_bytes ({} bytes)", endpoint_.max_reply_bytes));
}

/// The limit on the wait for the end of the body has passed.
void llm_client::gave_up(request_record& r) {
    if (r.done != 0)
        r.remarks.push_back(
            {"the body did not end within backend.drain_ms after the answer; the connection was given up",
             fmt::format("{:g} ms", ms(endpoint_.drain_ns))});
    else if (finish_reason_at_ != 0)
        r.remarks.push_back({"neither [DONE] nor the end of the body came after the finish reason; the connection was "
                             "given up",
                             fmt::format("{:g} ms", ms(end_mark_grace))});
}

/// The body has ended, or was given up.
void llm_client::finish(request_record& r) {
    const nanoseconds_t now = sdk::now_ns();
    if (!stream_.state().error) {
        if (decoder_ && r.done == 0) decoder_->finish();
        stream_.finish();
    }
    if (const auto& error = stream_.state().error) {
        if (error->kind == stream_error_kind::early_end && stream_.state().records == 0)
            throw std::runtime_error(fmt::format("empty reply: the body has no record (HTTP status {})", r.status));
        throw std::runtime_error(fmt::format("{}: {}", name_of(error->kind), error->message));
    }
    if (r.done == 0) r.done = finish_reason_at_ != 0 ? finish_reason_at_ : now;
    r.drained = now;
    if (rest_ >= rest_limit)
        r.remarks.push_back({"more than 64 KiB came after the answer; the connection was given up", {}});
    else if (now > r.done + late_end && now < wait_until_)
        r.remarks.push_back({"the body ended later than the answer; the wait is the server's",
                             fmt::format("{:.1f} ms", ms(now - r.done))});
    if (std::string fault = fault_of_reply(stream_.state()); !fault.empty()) throw std::runtime_error(fault);
}

nanoseconds_t llm_client::read_timing(request_record& r, const sdk::exchange& x) const {
    if (!timing_) return 0;
    chm_exchange_timing timing{};
    timing.size = sizeof timing;
    timing_->read(x.get(), &timing);
    r.connected = timing.connected_ns;
    r.sent = timing.sent_ns;
    r.first_byte = timing.first_byte_ns;
    r.reused = timing.reused != 0;
    r.retries = timing.retries;
    return timing.readable_ns;
}

} // namespace chimera::host
