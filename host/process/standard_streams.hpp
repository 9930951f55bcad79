// The three standard streams of a process, and the file-size limit that writing to them may meet.
#pragma once

namespace chimera::host {

/// [main thread, the first thing in main] Gives descriptors 0, 1 and 2 something to refer to. Example: a program
/// started with `2>&-` opens its journal, gets descriptor 2 for it, and then writes its progress into it. A closed one
/// is opened on /dev/null for reading only, so that a result written to a closed stream is an error like on a full
/// disk, and is not lost in silence. Children inherit them. Also has a write beyond `ulimit -f` fail with EFBIG, where
/// SIGXFSZ would end the process. Ends the process with status 3 where there is no /dev/null.
void open_standard_streams();

} // namespace chimera::host
