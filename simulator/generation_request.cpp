#include "generation_request.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "pacing.hpp"

namespace chimera::sim {

void prompt_reader::add(std::string_view part) {
    hash_ = mix(hash_ ^ hash_text(part));
    bytes_ += part.size();
    for (const auto& range : options_.reply_ranges) {
        if (!range_found_ && part.find(range.match) != std::string_view::npos) {
            range_found_ = true;
            min_ = range.min;
            max_ = range.max;
        }
    }
}

void prompt_reader::finish(generation_request& request, std::uint64_t request_seed, std::uint32_t reasoning_tokens,
                           std::optional<std::uint32_t> limit, std::optional<std::uint32_t> answer_tokens) const {
    request.prompt_tokens =
        static_cast<std::uint32_t>(std::min<std::uint64_t>((bytes_ + 3) / 4, request.runner.num_ctx));
    request.reply_seed = mix(mix(options_.seed) ^ mix(request_seed + 1) ^ hash_);
    request.answer_tokens = answer_tokens ? *answer_tokens : draw_reply_tokens(min_, max_, request.reply_seed);
    request.limit = limit.value_or(request.limit);
    request.set_reasoning(reasoning_tokens);
}

std::optional<std::string> served_name(const options& o, std::string_view model) {
    if (o.models.empty()) {
        return std::string(model);
    }
    const auto found = std::ranges::find_if(o.models, [model](std::string_view known) {
        return known == model || known == fmt::format("{}:latest", model);
    });
    return found == o.models.end() ? std::nullopt : std::optional(*found);
}

std::vector<std::string> listed_models(const options& o) {
    return o.models.empty() ? std::vector<std::string>{"gemma3:latest"} : o.models;
}

void require_model(const options& o, std::string_view model) {
    if (model.empty()) {
        throw request_error{400, "model is required"};
    }
    if (model.size() > 256) {
        throw request_error{400, "invalid model name"};
    }
    if (!served_name(o, model)) {
        throw request_error{404, fmt::format("model '{}' not found", model)};
    }
}

} // namespace chimera::sim
