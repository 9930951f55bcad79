// Wrong variants of right texts.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_run.hpp"

namespace chimera::fuzz {

/// 0 to n - 1; 0 where n is 0.
std::size_t below(random_source& random, std::size_t n);
/// True once in n.
bool one_in(random_source& random, std::size_t n);

/// Draws variants of the seeds: bytes, numbers, lines and line ends are changed, and tokens of the subject's language
/// put in.
class mutator {
  public:
    /// tokens: of that language; they outlive this object.
    mutator(std::vector<std::string> seeds, std::span<const std::string_view> tokens);
    /// A seed with up to six changes.
    std::string draw(random_source& random) const;

  private:
    const std::string& any_seed(random_source& random) const;
    void change(std::string& text, random_source& random) const;

    std::vector<std::string> seeds_;
    std::span<const std::string_view> tokens_;
};

/// In double quotes, on one line, with escapes for all that is not printable ASCII.
std::string in_full(std::string_view text);

/// Places to cut a text at, in order: behind every byte, at a few places, at many, or around line ends.
std::vector<std::size_t> draw_cuts(std::string_view text, random_source& random);

} // namespace chimera::fuzz
