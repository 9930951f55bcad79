#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generation_request.hpp"
#include "options.hpp"

namespace chimera::sim {

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

} // namespace chimera::sim
