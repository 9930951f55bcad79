#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "model_runner.hpp"
#include "options.hpp"
#include "reply_format.hpp"

namespace chimera::sim {

/// A request to generate, understood and checked, whatever its protocol.
struct generation_request {
    runner_key runner;
    std::uint32_t prompt_tokens = 0;
    std::uint32_t answer_tokens = 0;                                 ///< wanted, without reasoning
    std::uint32_t limit = std::numeric_limits<std::uint32_t>::max(); ///< of all tokens of the reply
    std::uint32_t reasoning_tokens = 0;
    std::uint32_t reply_tokens = 0; ///< reasoning and answer within the limit; 0: only load (or unload) the model
    bool capped = false;
    bool unload = false;
    bool stream = true;
    bool calls_tool = false;         ///< the answer is a tool call: its tokens are the content record's own texts
    bool call_in_one_record = false; ///< no token of the call is sent but its last, whose record holds all of it
    std::uint64_t reply_seed = 0;
    std::unique_ptr<reply_format> format;

    /// Sets the lengths of the reply; `answer_tokens` and `limit` must have been set.
    void set_reasoning(std::uint32_t tokens) {
        const auto natural = answer_tokens + tokens;
        reply_tokens = std::min(natural, limit);
        reasoning_tokens = std::min(tokens, reply_tokens);
        capped = reply_tokens < natural;
    }
};

/// The request is answered with an error status instead.
struct request_error {
    int status = 400;
    std::string message;
};

/// Gathers a prompt's parts without copying them: its length, its hash, and which --reply-range it asks for.
class prompt_reader {
  public:
    explicit prompt_reader(const options& o) : options_(o), min_(o.reply_tokens_min), max_(o.reply_tokens_max) {}

    void add(std::string_view part);
    bool empty() const { return bytes_ == 0; }

    /// Fills in prompt and reply lengths and the seed. A prompt has one token for every four bytes (rounded up), cut to
    /// the context length. `limit` is the most tokens that the request wants (nothing: no limit). `answer_tokens`: of a
    /// reply whose length is not drawn.
    void finish(generation_request& request, std::uint64_t request_seed, std::uint32_t reasoning_tokens,
                std::optional<std::uint32_t> limit, std::optional<std::uint32_t> answer_tokens = {}) const;

  private:
    const options& options_;
    std::uint64_t hash_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint32_t min_;
    std::uint32_t max_;
    bool range_found_ = false;
};

/// The name under which the model is served: `x` also finds `x:latest`. Nothing where it is not. Where no model was
/// named on the command line, every name is served.
std::optional<std::string> served_name(const options& o, std::string_view model);

/// Names of all models, for lists.
std::vector<std::string> listed_models(const options& o);

/// Throws request_error unless the model is served: 404, or 400 for a name that cannot be one.
void require_model(const options& o, std::string_view model);

/// Optional fields of a JSON request. Missing and null are the same; a wrong type throws request_error (400) naming the
/// field.
template <typename Type>
std::optional<Type> json_field(simdjson::dom::object object, std::string_view name, std::string_view wanted) {
    simdjson::dom::element value;
    if (object[name].get(value) != simdjson::SUCCESS || value.is_null()) {
        return std::nullopt;
    }
    Type result;
    if (value.get(result) != simdjson::SUCCESS) {
        throw request_error{400, "invalid value for '" + std::string(name) + "': expected " + std::string(wanted)};
    }
    return result;
}

inline std::optional<std::string_view> text_field(simdjson::dom::object object, std::string_view name) {
    return json_field<std::string_view>(object, name, "a string");
}

inline std::optional<std::int64_t> whole_field(simdjson::dom::object object, std::string_view name) {
    return json_field<std::int64_t>(object, name, "a whole number");
}

inline std::optional<bool> bool_field(simdjson::dom::object object, std::string_view name) {
    return json_field<bool>(object, name, "true or false");
}

/// The request's body, which must be a JSON object.
inline simdjson::dom::object parse_body(simdjson::dom::parser& parser, const std::string& body) {
    simdjson::dom::element root;
    simdjson::dom::object object;
    if (body.empty()) {
        throw request_error{400, "missing request body"};
    }
    if (const auto error = parser.parse(body).get(root); error != simdjson::SUCCESS) {
        throw request_error{400, std::string("invalid JSON: ") + simdjson::error_message(error)};
    }
    if (root.get(object) != simdjson::SUCCESS) {
        throw request_error{400, "invalid JSON: expected an object"};
    }
    return object;
}

} // namespace chimera::sim
