// Messages of this process to the person who started it, and the standard streams that carry them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace chimera::host {

/// [main thread, the first thing in main] Makes sure that descriptors 0, 1 and 2 are open. Example of the fault: a
/// program started with `2>&-` opens its journal as descriptor 2 and then writes its progress into the journal. A
/// closed stream is opened on /dev/null for reading only, so that writing a result to it fails as on a full disk and
/// the result is not lost silently. Children inherit the streams. Also ignores SIGXFSZ, so that a write beyond `ulimit
/// -f` fails with EFBIG and does not end the process. Ends the process with status 3 if /dev/null cannot be opened.
void open_standard_streams();

/// Writes a message and a line end to standard error. Line ends are kept, other control characters are escaped
/// (printable()), secrets are replaced (redacted()). A failed write is ignored. Any thread; lines of several threads do
/// not mix.
void say(std::string_view message);

/// The message. If it reports that a resource ran out, the limit of this process is added: "(ulimit -n allows 64 open
/// files)". The message may come from a plugin or a library.
std::string with_limit(std::string message);

/// The number of letters to insert, delete, replace or swap with their neighbour to turn a into b, where no letter is
/// changed twice (the restricted Damerau-Levenshtein distance). Bytes count as letters.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The end of a message about an unknown word: `did you mean "x"?` if a known word is near, otherwise `known: "a",
/// "b"`. Of many known words it lists the nearest and the number of the others. Empty if no word is known.
std::string suggest(std::string_view word, std::span<const std::string> known);

} // namespace chimera::host
