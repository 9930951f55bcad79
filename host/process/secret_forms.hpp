// The forms in which a server may send a secret back.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// One secret, ready to be found in texts. redact() in secrets.hpp lists its forms. Immutable: any thread.
class secret_forms {
  public:
    /// Whether a secret is long enough that its forms are not likely to be ordinary text: 8 characters.
    static bool can_hide(std::string_view secret) noexcept;

    /// [can_hide(secret)]
    explicit secret_forms(std::string_view secret);

    /// Replaces each form by "***". Takes a few nanoseconds for each byte of the text.
    void hide_in(std::string& text) const;

  private:
    /// A sequence of characters, compared without regard to case.
    struct form {
        std::string text;
        std::size_t least;  ///< of its first characters, how many are enough
        bool within_a_word; ///< as in base64 and hex: the whole word around it is hidden
    };

    void add(std::string text, std::size_t least, bool within_a_word);
    /// Where the form that begins at this byte ends; 0: none does.
    std::size_t end_at(std::string_view text, std::size_t begin, bool& within_a_word) const;

    std::vector<form> forms_;
    std::array<bool, 256> may_begin_{}; ///< bytes with which a form can begin
};

} // namespace chimera::host
