// Provenance in words, for a line of a report. A text may come from a server or a file: escape it where it is shown.
#pragma once

#include "provenance/provenance.hpp"

#include <string>
#include <string_view>

namespace chimera::host {

/// "AMD EPYC 7B13, 16 CPUs, governor performance, 62.7 GiB, Linux 6.1.0-18-amd64, glibc 2.36, KVM"; without what was
/// not told. The host's name is not in it: it says nothing about figures.
std::string in_words(const machine_identity&);
/// "chimera 0.1.0 (1f3c9a0b7d2e, GCC 12.2.0, Release)".
std::string in_words(const build_identity&);
/// "thread_pool 0.1.0 (1f3c9a0b7d2e)": the first digits of the file's hash.
std::string in_words(const plugin_identity&);
/// "Ollama 0.5.1, gemma3:latest (a2af6cc3eb7f, 4.3B, Q4_K_M)"; without its URL.
std::string in_words(const server_identity&);

/// The first twelve digits of a hash or a digest ("sha256:..."). A text of anything else is left as it is.
std::string short_hash(std::string_view);

} // namespace chimera::host
