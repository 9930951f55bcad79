// What a server tells about itself: which paths to ask it for, and how to read the answers. No I/O here.
#pragma once

#include "protocol/llm_api.hpp"
#include "provenance/provenance.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// The questions to one server, one after the other. Known servers: Ollama, vLLM, llama.cpp, SGLang, chimera-sim; any
/// other one may answer as one of these does.
class server_answers {
  public:
    server_answers(llm_api, std::string url, const std::vector<std::string>& models);

    /// The next path to GET, below the server's own path, such as "/api/version"; nothing when there are no more
    /// questions.
    std::optional<std::string_view> next();
    /// The body of an answer with status 200 to the path that next() gave last. Garbage is ignored. Texts are
    /// shortened, and secrets in them are hidden.
    void take(std::string_view body);

    const server_identity& identity() const noexcept { return identity_; }
    /// The names of the models that it has, in its order; nothing: it gave no list.
    const std::optional<std::vector<std::string>>& offered() const noexcept { return offered_; }
    /// Whether it has a model under this name. Nothing: it gave no list. llama.cpp serves its one model under any name.
    std::optional<bool> has(std::string_view model) const;

  private:
    bool worth_asking(std::string_view path) const;

    llm_api api_;
    server_identity identity_;
    std::optional<std::vector<std::string>> offered_;
    std::size_t asked_ = 0; ///< of the list of paths
    std::string_view path_; ///< asked for last
};

} // namespace chimera::host
