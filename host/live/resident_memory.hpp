// How much memory this process occupies.
#pragma once

namespace chimera::host {

/// Bytes, as the kernel counts pages that are in memory (proc(5), statm); 0 if it does not say. Any thread.
double resident_memory_bytes();

} // namespace chimera::host
