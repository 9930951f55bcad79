// The inputs kept in the tree: the fuzzers' seeds, and each input that once failed.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::fuzz {

struct corpus_file {
    std::string name, bytes;
};

/// The files of a folder in the order of their names; a file alone. Throws std::runtime_error where there are none.
std::vector<corpus_file> read_corpus(const std::filesystem::path& folder_or_file);

/// The bytes of the files in tests/fuzz/corpus/KIND, without the largest ones.
std::vector<std::string> corpus_seeds(std::string_view kind);

/// A folder of this process in memory where there is such a file system, removed with everything in it.
class scratch_folder {
  public:
    scratch_folder();
    ~scratch_folder();
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    /// Removes its content.
    void clear() const;
    /// Writes a file, and the folders on the way to it. The name stays below this folder.
    void write(const std::filesystem::path& name, std::string_view bytes) const;

  private:
    std::filesystem::path path_;
};

} // namespace chimera::fuzz
