#include "generation.hpp"

#include <algorithm>
#include <numeric>

namespace chimera::sim {

void generation::compose() {
    if (request.reasoning_tokens > 0) {
        tokens = compose_prose(request.reply_seed, request.reasoning_tokens);
    }
    const auto answer = request.reply_tokens - request.reasoning_tokens;
    if (request.calls_tool) {
        tokens.resize(request.reply_tokens);
        std::iota(tokens.end() - static_cast<std::ptrdiff_t>(answer), tokens.end(), token_id{0});
    } else {
        const auto report = compose_report(request.reply_seed, answer);
        tokens.insert(tokens.end(), report.begin(), report.end());
    }
    if (fault.kind == fault_kind::hidden_reasoning) {
        unsent_to = request.reasoning_tokens;
    }
    if (request.call_in_one_record) {
        if (unsent_to == 0) {
            unsent_from = request.reasoning_tokens;
        }
        unsent_to = request.capped ? token_count() : token_count() - 1;
    }
    if (fault.kind == fault_kind::finish_reason && token_count() > fault.after) {
        tokens.resize(fault.after);
        request.reasoning_tokens = std::min(request.reasoning_tokens, fault.after);
        unsent_to = std::min(unsent_to, fault.after);
        unsent_from = std::min(unsent_from, unsent_to);
    }
}

reply_totals generation::totals(std::int64_t sent) const {
    reply_totals result;
    result.total = sent - arrived;
    result.load = load;
    result.prompt_eval = decode_began - prefill_began;
    result.eval = tokens.empty() ? 0 : last_token_at - decode_began;
    result.prompt_tokens = request.prompt_tokens;
    result.reasoning_tokens = request.reasoning_tokens;
    result.tokens = token_count();
    result.capped = request.capped;
    result.hides_reasoning = fault.kind == fault_kind::hidden_reasoning;
    result.reason = fault.reason;
    if (fault.kind == fault_kind::bad_durations) {
        for (auto* duration : {&result.total, &result.load, &result.prompt_eval, &result.eval}) {
            *duration /= 1'000'000;
        }
    }
    return result;
}

} // namespace chimera::sim
