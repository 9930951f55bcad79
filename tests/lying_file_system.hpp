// A file system that a program of another user serves (FUSE), and that says that everything in it is root's.
#pragma once

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chimera::test {

/// Mounted on a folder while it lives, with one file in it, `plugin.so`. Its server is a process of its own.
class lying_file_system {
  public:
    /// tells_of_itself: it answers statfs.
    lying_file_system(std::filesystem::path on, uid_t user, std::string content, bool tells_of_itself)
        : on_(std::move(on)), content_(std::move(content)), tells_of_itself_(tells_of_itself),
          fd_(open("/dev/fuse", O_RDWR | O_CLOEXEC)) {
        const auto options =
            "fd=" + std::to_string(fd_) + ",rootmode=40000,user_id=" + std::to_string(user) + ",group_id=0,allow_other";
        if (fd_ < 0 || mount("lying", on_.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0) return;
        mounted_ = true;
        server_ = fork();
        if (server_ != 0) return;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (serve_one()) continue;
        _exit(0);
    }
    lying_file_system(const lying_file_system&) = delete;
    ~lying_file_system() {
        if (mounted_) umount2(on_.c_str(), MNT_DETACH);
        if (server_ > 0) {
            kill(server_, SIGKILL);
            waitpid(server_, nullptr, 0);
        }
        if (fd_ >= 0) close(fd_);
    }
    /// False where the system lets nobody mount one.
    bool mounted() const { return mounted_; }

  private:
    static constexpr std::uint64_t file_id = 2;

    fuse_attr attributes(std::uint64_t id) const {
        fuse_attr a{};
        a.ino = id;
        a.size = id == file_id ? content_.size() : 0;
        a.mode = id == file_id ? S_IFREG | 0755 : S_IFDIR | 0755;
        a.nlink = 1; // uid and gid are 0
        a.blksize = 4096;
        return a;
    }

    bool serve_one() const {
        alignas(fuse_in_header) static char request[1 << 17];
        if (read(fd_, request, sizeof request) < static_cast<ssize_t>(sizeof(fuse_in_header)))
            return errno == EINTR || errno == ENOENT;
        fuse_in_header head;
        std::memcpy(&head, request, sizeof head);
        const char* const body = request + sizeof head;
        switch (head.opcode) {
        case FUSE_INIT: {
            fuse_init_out out{};
            out.major = FUSE_KERNEL_VERSION;
            out.minor = FUSE_KERNEL_MINOR_VERSION;
            out.max_readahead = 65536;
            out.max_write = 65536;
            return answer(head, &out, sizeof out);
        }
        case FUSE_GETATTR: {
            fuse_attr_out out{};
            out.attr = attributes(head.nodeid);
            return answer(head, &out, sizeof out);
        }
        case FUSE_LOOKUP: {
            fuse_entry_out out{};
            out.nodeid = file_id;
            out.attr = attributes(file_id);
            if (std::strcmp(body, "plugin.so") != 0) return answer(head, nullptr, 0, -ENOENT);
            return answer(head, &out, sizeof out);
        }
        case FUSE_OPEN:
        case FUSE_OPENDIR: {
            const fuse_open_out out{};
            return answer(head, &out, sizeof out);
        }
        case FUSE_READ: {
            fuse_read_in what;
            std::memcpy(&what, body, sizeof what);
            const auto from = std::min<std::size_t>(what.offset, content_.size());
            return answer(head, content_.data() + from, std::min<std::size_t>(what.size, content_.size() - from));
        }
        case FUSE_STATFS: {
            if (!tells_of_itself_) return answer(head, nullptr, 0, -ENOSYS);
            const fuse_statfs_out out{};
            return answer(head, &out, sizeof out);
        }
        case FUSE_FORGET:
        case FUSE_BATCH_FORGET:
        case FUSE_INTERRUPT: // have no answer
            return true;
        case FUSE_RELEASE:
        case FUSE_RELEASEDIR:
        case FUSE_FLUSH:
            return answer(head, nullptr, 0);
        default:
            return answer(head, nullptr, 0, -ENOSYS);
        }
    }

    bool answer(const fuse_in_header& to, const void* data, std::size_t size, int error = 0) const {
        fuse_out_header head{static_cast<std::uint32_t>(sizeof(fuse_out_header) + size), error, to.unique};
        std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
        if (size > 0) bytes.append(static_cast<const char*>(data), size);
        return write(fd_, bytes.data(), bytes.size()) >= 0 || errno == ENOENT; // who asked may have gone
    }

    std::filesystem::path on_;
    std::string content_;
    bool tells_of_itself_;
    int fd_;
    bool mounted_ = false;
    pid_t server_ = -1;
};

} // namespace chimera::test
