// Where an installation keeps what its programs read: everything is found from the program itself, so that an
// installation can be moved, and a build folder is one.
#pragma once

#include <filesystem>

namespace chimera::host {

/// share/chimera beside the folder of this program. Throws std::filesystem::filesystem_error without /proc.
std::filesystem::path installed_data();

/// share/doc/chimera beside it: the pages of this repository, in its folders. They come with the package chimera-dev,
/// so they may not be there. Throws as installed_data().
std::filesystem::path installed_documentation();

/// The profile that somebody means by `given`: that file, or where there is none and `given` is a bare name, the
/// installed profile called so ("smol1kb").
std::filesystem::path find_profile(const std::filesystem::path& given);

} // namespace chimera::host
