// Secrets of this process: reading them, and hiding them in texts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// The variable of the environment from which a key comes, if the command line names none.
inline constexpr const char* api_key_variable = "CHIMERA_API_KEY";

/// Whether a name, such as that of an option or of a header, says that its value is a secret: "api-key", "X-Api-Key",
/// "token", "Proxy-Authorization". "max_tokens" and "key_header" do not.
bool names_a_secret(std::string_view name);

/// [main thread, before any other] The words of the command line, copied. In the process's own memory, which
/// /proc/PID/cmdline shows to every user, a word that follows a name of a secret is then overwritten: `--api-key S`,
/// `--api-key=S`, also where the name is misspelled, `--set headers.token=S` and `--set headers={token="S"}`. Each such
/// word is kept out of what messages say (redacted()).
std::vector<std::string> take_arguments(int argc, char** argv);

/// [main thread, before any other] The value of an environment variable, empty where it is not set; afterwards it is
/// not set any more, neither for plugins and children nor in /proc/PID/environ.
std::string take_variable(const char* name);

/// Reads a key from a file or a pipe that holds nothing else than it and a line end. Throws std::runtime_error that
/// names the file.
std::string read_key_file(const std::string& path);

/// Why a key cannot be sent in a header, empty where it can. Says where the character is, not which.
std::string key_fault(std::string_view key);

/// [main thread, before any other] From now on redacted() and redact() keep this out of texts, and no other process of
/// the same user may read this one's memory: it leaves no core dump, and only root can trace it.
void hold_secret(std::string secret);

/// Replaces each secret that is held by "***", in all forms in which a server may send one back: as it is, in other
/// letter case, backwards, in hex, in base64 (both alphabets, also in the middle of an encoded text), and with any of
/// its characters written as %41, %2541, \u0041, \x41, \/, =41, &#65;, &#x41; or &amp;. The first or last half of a
/// secret counts as well where it has 8 characters or more. Of a secret below 8 characters only the exact form is
/// replaced, as other forms are likely to be ordinary text. Any thread once hold_secret() has returned.
void redact(std::string& text);

/// A message to a person: the same, for the words of take_arguments() too, and in each URL the user information, the
/// values of the query and the fragment are "***". A secret below 8 characters is left in: a key such as "x" would
/// spoil every word.
std::string redacted(std::string_view message);

/// The same for a text that is one URL to its end, whatever characters it has.
std::string without_url_secrets(std::string_view url);

} // namespace chimera::host
