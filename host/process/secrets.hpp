// Secrets of this process: reading them, and hiding them in texts.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// The environment variable that holds the API key, unless the command line names one.
inline constexpr const char* api_key_variable = "CHIMERA_API_KEY";

/// True if the name of an option or a header announces a secret: "api-key", "X-Api-Key", "token",
/// "Proxy-Authorization". False for "max_tokens" and "key_header".
bool names_a_secret(std::string_view name);

/// [main thread, before any other] Copies the words of the command line. Then overwrites each secret in the process's
/// own memory, because /proc/PID/cmdline shows it to every user: `--api-key S`, `--api-key=S` (also if the name is
/// misspelled), `--set headers.token=S` and `--set headers={token="S"}`. redacted() hides these secrets in messages.
std::vector<std::string> take_arguments(int argc, char** argv);

/// [main thread, before any other] Returns the value of an environment variable (empty: not set) and removes it, so
/// that plugins, children and /proc/PID/environ do not see it.
std::string take_variable(const char* name);

/// Reads a key from a file or a pipe that contains only the key and a line end. Throws std::runtime_error that names
/// the file.
std::string read_key_file(const std::string& path);

/// Why a key cannot be sent in a header; empty: it can. Names the position of the bad character, not the character.
std::string key_fault(std::string_view key);

/// [main thread, before any other] From now on redacted() and redact() hide this secret, and other processes of the
/// same user cannot read this process's memory: it leaves no core dump, and only root can trace it.
void hold_secret(std::string secret);

/// Replaces each held secret by "***", in every form in which a server may send it back: as it is, in other letter
/// case, backwards, in hex, in base64 (both alphabets, also in the middle of an encoded text), and with any of its
/// characters written as %41, %2541, \u0041, \x41, \/, =41, &#65;, &#x41; or &amp;. The first or last half of a secret
/// counts too, if it has 8 characters or more. A secret below 8 characters is replaced only in its exact form, because
/// other forms are likely to be ordinary text. Any thread, after hold_secret() has returned.
void redact(std::string& text);

/// For messages to a person: does the same, also for the secrets of take_arguments(), and hides the user information,
/// the query's values and the fragment of each URL. Secrets below 8 characters stay: a key such as "x" would spoil
/// every word.
std::string redacted(std::string_view message);

/// The same for a text that is one URL from its beginning to its end.
std::string without_url_secrets(std::string_view url);

/// One secret, ready to be found in texts in all forms that redact() lists. Immutable: any thread.
class secret_forms {
  public:
    /// A secret below 8 characters cannot be hidden: its forms are likely to be ordinary text.
    static bool can_hide(std::string_view secret) noexcept;

    /// [can_hide(secret)]
    explicit secret_forms(std::string_view secret);

    /// Replaces each form by "***". Takes a few nanoseconds for each byte of the text.
    void hide_in(std::string& text) const;

  private:
    /// A sequence of characters, compared without regard to case.
    struct form {
        std::string text;
        std::size_t least;  ///< this many of its first characters are enough
        bool within_a_word; ///< base64 and hex: hide the whole word around it
    };

    void add(std::string text, std::size_t least, bool within_a_word);
    /// The end of the form that begins at this byte; 0: no form does.
    std::size_t end_at(std::string_view text, std::size_t begin, bool& within_a_word) const;

    std::vector<form> forms_;
    std::array<bool, 256> may_begin_{}; ///< bytes that can begin a form
};

} // namespace chimera::host
