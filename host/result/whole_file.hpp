// Result files: under their names they are there whole, or not at all.
#pragma once

#include "process/files.hpp"

#include <chimera/sdk/owned_fd.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace chimera::host {

/// A result that could not be written; what() names the path.
struct result_file_error : std::system_error {
    using std::system_error::system_error;
};

/// Throws result_file_error for errno.
[[noreturn]] void fail_to_write(const std::filesystem::path&, const char* what);

/// Writes all of it to a descriptor, waiting where that is non-blocking and full. Throws result_file_error that says
/// `failure`, such as "standard output cannot be written", and the reason.
void write_all(int fd, std::string_view, const std::string& failure);

/// A file that is written under a temporary name, piece by piece, and gets its own when it is complete. One thread at a
/// time. Errors: result_file_error.
class whole_file {
  public:
    explicit whole_file(std::filesystem::path);
    whole_file(const whole_file&) = delete;
    whole_file& operator=(const whole_file&) = delete;
    /// Nothing is left of one that was not committed.
    ~whole_file();

    /// Keeps up to 64 KB back.
    void append(std::string_view);
    /// Syncs and renames it. Once, and nothing is appended after it.
    void commit();
    /// The same, but it is only on the disk after sync_path(). For a name that nothing on the disk has yet.
    void commit_unsynced();

  private:
    void flush();

    std::filesystem::path path_, temporary_;
    sdk::owned_fd fd_;
    std::string kept_;
    bool committed_ = false;
};

/// Makes a folder and those on the way to it, where they are not there. Throws result_file_error; a symbolic link on
/// the way that leads nowhere is named.
void make_folders(const std::filesystem::path&);

/// Removes the temporary files of processes of this machine that do not live any more, below a folder; finished runs
/// (folders with a metrics.json) have none. Other processes may write there. What cannot be removed stays.
void remove_leftovers(const std::filesystem::path& folder);

/// Waits until a file's content, or what a folder lists, is on the disk. Errors: result_file_error.
void sync_path(const std::filesystem::path&);
/// The same, of a folder that may be another user's: nothing where it cannot be opened.
void try_to_sync(const std::filesystem::path&) noexcept;

/// Writes this content as a whole_file.
void write_whole(const std::filesystem::path&, std::string_view content);

/// Writes into what the path leads to: a file, also behind a symbolic link, as a whole_file; a device or a pipe, such
/// as /dev/stdout, as it is. Errors: result_file_error.
void write_to(const std::filesystem::path&, std::string_view content);

/// The content of a regular file; empty if it cannot be read, or is not a regular file.
std::string read_whole(const std::filesystem::path&, std::size_t most_bytes = most_document_bytes);

} // namespace chimera::host
