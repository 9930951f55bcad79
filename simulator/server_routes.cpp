// The part of the server that knows the paths.
#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ollama.hpp"
#include "openai.hpp"
#include "server.hpp"

namespace chimera::sim {
namespace {

constexpr std::string_view json_type = "application/json; charset=utf-8";
constexpr std::string_view text_type = "text/plain; charset=utf-8";
constexpr std::string_view one_model = "/v1/models/";

std::string_view status_message(int status) {
    switch (status) {
    case 429:
        return "too many requests: simulated fault";
    case 503:
        return "server busy, please try again. maximum pending requests exceeded";
    default:
        return "internal server error: simulated fault";
    }
}

std::string retry_after(const fault_spec& fault) {
    return fault.ms > 0 ? fmt::format("Retry-After: {}\r\n", (fault.ms + 999) / 1000) : "";
}

enum class route : std::uint8_t { unknown, page, question, reply };

/// `question`: a POST that is answered at once.
route route_of(std::string_view path) {
    constexpr std::array pages{"/", "/api/version", "/api/tags", "/api/ps", "/v1/models", "/chimera/stats"};
    constexpr std::array replies{"/api/generate", "/api/chat", "/v1/completions", "/v1/chat/completions"};
    if (std::ranges::find(replies, path) != replies.end()) {
        return route::reply;
    }
    if (path == "/api/show") {
        return route::question;
    }
    const bool is_page = std::ranges::find(pages, path) != pages.end() || path.starts_with(one_model);
    return is_page ? route::page : route::unknown;
}

/// An error in the words of the protocol that the path belongs to.
std::string error_body(std::string_view path, int status, std::string_view message) {
    return path.starts_with("/v1/") ? openai_error(status, message) : ollama_error(message);
}

} // namespace

void server::serve(client& c, http_request& request) {
    ++stats_.requests;
    const auto& path = request.path;
    const auto kind = route_of(path);
    const bool posts = kind == route::question || kind == route::reply;
    const bool head_only = request.method == "HEAD";
    const bool gets = request.method == "GET" || head_only;
    if (kind == route::unknown) {
        respond(c, 404, json_type, error_body(path, 404, fmt::format("{} not found", path)), request.keep_alive, {},
                head_only);
    } else if (posts ? request.method != "POST" : !gets) {
        const auto error = fmt::format("{} is not allowed for {}", request.method, path);
        respond(c, 405, json_type, error_body(path, 405, error), request.keep_alive,
                posts ? "Allow: POST\r\n" : "Allow: GET, HEAD\r\n", head_only);
    } else if (kind == route::reply) {
        generate(c, request);
    } else {
        try {
            respond(c, 200, path == "/" ? text_type : json_type, page(request), request.keep_alive, {}, head_only);
        } catch (const request_error& error) {
            respond(c, error.status, json_type, error_body(path, error.status, error.message), request.keep_alive, {},
                    head_only);
        }
    }
}

/// The body of every page that is not a reply. Throws request_error.
std::string server::page(const http_request& request) {
    const std::string_view path = request.path;
    if (path == "/") {
        return "Ollama is running";
    }
    if (path == "/api/version") {
        return ollama_version();
    }
    if (path == "/api/tags") {
        return ollama_tags(options_);
    }
    if (path == "/api/ps") {
        return ollama_running(options_, engine_.loaded(), monotonic_ns(), clock_);
    }
    if (path == "/api/show") {
        return ollama_show(request.body, options_, json_);
    }
    if (path == "/v1/models") {
        return openai_models(options_);
    }
    return path.starts_with(one_model) ? openai_model(options_, path.substr(one_model.size())) : stats_body();
}

/// The fault that the request asks for itself, or else the command line's.
fault_spec server::choose_fault(const http_request& request) {
    if (request.fault.empty()) {
        return faults_.take();
    }
    try {
        auto fault = parse_fault(request.fault);
        if (fault.kind == fault_kind::refuse) {
            throw std::invalid_argument("refuse works on the command line only");
        }
        return fault;
    } catch (const std::invalid_argument& error) {
        throw request_error{400, fmt::format("X-Chimera-Fault: {}", error.what())};
    }
}

generation_request server::parse_generate(const http_request& request, std::int64_t now) {
    const std::string_view path = request.path;
    if (path == "/api/generate") {
        return parse_ollama_generate(request.body, options_, json_);
    }
    if (path == "/api/chat") {
        return parse_ollama_chat(request.body, options_, json_);
    }
    const auto created = clock_.unix_seconds(now);
    return path == "/v1/completions" ? parse_openai_text(request.body, options_, json_, stats_.requests, created)
                                     : parse_openai_chat(request.body, options_, json_, stats_.requests, created);
}

void server::generate(client& c, http_request& request) {
    const auto now = monotonic_ns();
    const auto refuse = faults_.refuse();
    if (refuse && refuse->after > 0 && ++requests_generated_ == refuse->after) {
        refuse_from_now();
    }
    try {
        auto parsed = parse_generate(request, now);
        const auto fault = choose_fault(request);
        if (is_status(fault.kind)) {
            ++stats_.faults;
            const auto status = status_of(fault.kind);
            respond(c, status, json_type, parsed.format->error_body(status, status_message(status)), request.keep_alive,
                    retry_after(fault));
            return;
        }
        c.reply = std::make_unique<generation>(c.connection, std::move(parsed));
        c.reply->fault = fault;
        c.reply->keep_alive = request.keep_alive;
        c.reply->http_1_0 = request.http_1_0;
        c.reply->owner = &c;
        engine_.submit(*c.reply, now);
    } catch (const request_error& error) {
        respond(c, error.status, json_type, error_body(request.path, error.status, error.message), request.keep_alive);
    }
}

/// A request served here may be over at once; that counts as well, because nothing else would wake the loop for it.
void server::finish_replies() {
    for (auto finished = engine_.take_finished(); !finished.empty(); finished = engine_.take_finished()) {
        for (auto* over : finished) {
            finish(*over);
        }
    }
}

void server::finish(generation& over) {
    auto& c = *static_cast<client*>(over.owner);
    const auto end = over.end;
    const bool keep = end == generation::ending::keep && over.keep_alive;
    c.reply.reset();
    if (end == generation::ending::drop) {
        drop(c);
    } else if (keep) {
        after_response(c);
    } else {
        shut(c);
    }
}

std::string server::stats_body() const {
    const auto us = [](std::uint64_t ns) {
        const std::uint64_t hundredths = ns / 10;
        return static_cast<double>(hundredths) / 100.0;
    };
    return nlohmann::ordered_json{
        {"now_ns", monotonic_ns()},
        {"connections_accepted", stats_.connections_accepted},
        {"connections_open", stats_.connections_open},
        {"connections_dropped", listener_.dropped()},
        {"requests", stats_.requests},
        {"active", engine_.active()},
        {"queued", engine_.queued()},
        {"replies_completed", stats_.replies_completed},
        {"replies_cancelled", stats_.replies_cancelled},
        {"faults", stats_.faults},
        {"tokens_sent", stats_.tokens_sent},
        {"tokens_held_back", stats_.tokens_held_back},
        {"send_errors", stats_.send_errors},
        {"decoders_of_all_instances", engine_.gpu().all_decoders()},
        {"late_tokens_counted", stats_.lateness.count()},
        {"late_p50_us", us(stats_.lateness.quantile_ns(0.5))},
        {"late_p99_us", us(stats_.lateness.quantile_ns(0.99))},
        {"late_max_us", us(stats_.lateness.max_ns())},
    }
        .dump();
}

} // namespace chimera::sim
