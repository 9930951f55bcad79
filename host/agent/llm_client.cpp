#include "agent/llm_client.hpp"

#include "profile/fnv1a.hpp"
#include "protocol/error_body.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace chimera::host {
namespace {

constexpr std::size_t error_body_limit = 65'536;

chm_session_args session_args(const llm_endpoint& endpoint, const llm_transport& by) {
    chm_session_args args{};
    args.size = sizeof args;
    args.executor = by.executor;
    args.reactor = by.reactor;
    args.base_url = sdk::str(endpoint.url);
    return args;
}

/// A server may send back what it was sent: the key must not reach a file that way.
void redact(std::string& text, std::string_view secret) {
    if (secret.empty()) return;
    for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos;) text.replace(at, secret.size(), "***");
}

chm_kv header(std::string_view key, std::string_view value) { return {sdk::str(key), sdk::str(value)}; }

[[noreturn]] void refuse(int status, const std::string& body) {
    throw std::runtime_error(fmt::format("HTTP status {}: {}", status, body));
}

/// Of English text a token is four or five bytes. A longer reply costs an allocation now and then.
stream_options room_for(const llm_endpoint& endpoint) {
    stream_options options;
    options.reserve_text_bytes = std::min(options.reserve_text_bytes, 8 * endpoint.expected_tokens);
    return options;
}

} // namespace

std::int64_t call_seed(std::uint64_t base, std::string_view agent, std::uint64_t call) {
    std::string bytes;
    const auto add = [&bytes](std::uint64_t number) {
        for (int i = 0; i < 64; i += 8) bytes += static_cast<char>(number >> i);
    };
    add(base);
    bytes += agent;
    add(call);
    return static_cast<std::int64_t>((fnv1a(bytes) >> 32U) & 0x7FFFFFFFU);
}

llm_client::llm_client(llm_endpoint endpoint, const llm_transport& by, recorder& log)
    : endpoint_(std::move(endpoint)), recorder_(log),
      timing_(static_cast<const chm_timing_ext*>(by.transport->vt->get_extension(by.transport, CHM_EXT_TIMING))),
      session_(by.transport, session_args(endpoint_, by)), stream_(endpoint_.api, room_for(endpoint_)) {}

sdk::task<const request_record*> llm_client::call(std::string name, std::string prompt, nanoseconds_t intended) {
    request_record& r = recorder_.begin_request(std::move(name));
    r.intended = intended;
    const std::int64_t seed = endpoint_.seed.value_or(call_seed(endpoint_.seed_base, recorder_.record().id, calls_++));
    r.seed = static_cast<std::uint64_t>(seed);
    r.prompt = std::move(prompt);
    generate_request request{endpoint_.model, r.prompt, std::nullopt, endpoint_.options};
    request.options.push_back({"seed", seed});
    const request_body body = build_request(endpoint_.api, request);
    try {
        co_await exchange(r, body);
    } catch (const std::exception& e) {
        r.error = e.what();
    }
    if (!r.error.empty() && r.error.find(endpoint_.url) == std::string::npos)
        r.error = fmt::format("{}{}: {}", endpoint_.url, body.path, r.error);
    const stream_state& got = stream_.state();
    r.server = got.figures;
    r.response = got.text;
    r.reasoning = got.reasoning;
    for (std::string* text : {&r.error, &r.response, &r.reasoning}) redact(*text, endpoint_.api_key);
    r.reasoning_first = got.first_content_was_reasoning;
    recorder_.stage(agent_stage::between_calls);
    recorder_.end_request(r);
    co_return &r;
}

sdk::task<void> llm_client::exchange(request_record& r, const request_body& body) {
    stream_.reset();
    const std::string authorization = "Bearer " + endpoint_.api_key;
    const std::array<chm_kv, 3> headers{header("Content-Type", "application/json"), header("Accept", "*/*"),
                                        header("Authorization", authorization)};
    chm_request request{};
    request.size = sizeof request;
    request.method = sdk::str("POST");
    request.path = sdk::str(body.path);
    request.headers = headers.data();
    request.n_headers = endpoint_.api_key.empty() ? 2U : 3U;
    request.body = sdk::str(body.json);

    recorder_.stage(agent_stage::first_byte);
    r.dispatched = sdk::now_ns();
    sdk::exchange x = session_.start(request);
    auto arriving_head = x.head();
    const chm_head head = co_await arriving_head;
    r.status = head.status;
    const nanoseconds_t readable = read_timing(r, x);
    if (r.first_byte == 0) r.first_byte = sdk::now_ns();
    recorder_.head(r, readable);
    if (head.status != 200) {
        auto reading = read_error_body(x);
        refuse(r.status, co_await reading);
    }
    for (;;) {
        auto arriving = x.chunk();
        const std::optional<std::string_view> piece = co_await arriving;
        if (!piece || !take(r, x, *piece)) break;
    }
    finish(r);
}

/// False: what follows means nothing, and the exchange is to be cancelled. A function of its own, like those below, so
/// that what a token needs is in registers and not in the memory of every agent's coroutine.
bool llm_client::take(request_record& r, const sdk::exchange& x, std::string_view piece) {
    const nanoseconds_t delivered = sdk::now_ns();
    nanoseconds_t recorded = delivered;
    feed_result got;
    if (recorder_.times_pieces()) {
        chm_exchange_timing timing{};
        timing.size = sizeof timing;
        if (timing_) timing_->read(x.get(), &timing);
        got = stream_.feed(piece);
        recorded = sdk::now_ns();
        recorder_.chunk(r, timing.readable_ns, delivered, recorded, got.content_records, got.first_t_ns);
    } else {
        got = stream_.feed(piece);
        recorder_.count(r, delivered, got.content_records);
    }
    if (got.finished && r.done == 0) {
        r.done = recorded;
        recorder_.stage(agent_stage::between_calls); // the end of the body is awaited, the answer is there
    }
    return !got.failed;
}

void llm_client::finish(request_record& r) {
    if (!stream_.state().error) stream_.finish();
    if (const auto& error = stream_.state().error)
        throw std::runtime_error(fmt::format("{}: {}", name_of(error->kind), error->message));
    if (r.done == 0) r.done = sdk::now_ns();
}

sdk::task<std::string> llm_client::read_error_body(sdk::exchange& x) {
    std::string text;
    while (text.size() < error_body_limit) {
        auto arriving = x.chunk();
        const std::optional<std::string_view> chunk = co_await arriving;
        if (!chunk) break;
        text += *chunk;
    }
    co_return parse_error_body(text);
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
