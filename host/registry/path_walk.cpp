#include "registry/path_walk.hpp"
#include "registry/accounts.hpp"
#include "registry/write_access.hpp"
#include <cerrno>
#include <climits>
#include <deque>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <vector>

namespace chimera::host {

namespace {

namespace fs = std::filesystem;

constexpr int most_links = 40; // as the kernel has it

class walker {
  public:
    explicit walker(const fs::path& to) { put_first(to); }

    walked_path go() {
        out_.error = walk_all();
        if (out_.error != 0) {
            out_.path = folders_.empty() ? fs::path("/") : folders_.back().path;
            if (!folders_.empty() && folders_.back().open_to_others())
                distrust(fmt::format("may be made by others in {}: {}", out_.path.string(), folders_.back().who()));
            return std::move(out_);
        }
        if (!out_.file) { // it leads to a folder
            auto& last = folders_.back();
            out_.path = last.path;
            out_.status = last.status;
            if (auto owner = foreign_owner(last.fd.get(), last.status); !owner.empty()) distrust(std::move(owner));
            if (last.open_to_others()) distrust("may be written by others: " + last.who());
            out_.file = std::move(last.fd);
        }
        return std::move(out_);
    }

  private:
    struct folder {
        sdk::owned_fd fd;
        fs::path path;
        struct stat status;
        foreign_access access;
        bool sticky() const { return (status.st_mode & S_ISVTX) != 0; }
        bool open_to_others() const { return !access.who.empty(); }
        /// A folder such as /tmp is meant to be so.
        std::string who() const { return access.who + "; " + (sticky() ? "take another folder" : access.remedy); }
    };

    /// The first reason found is told: it is the nearest to "/", and the others may follow from it.
    void distrust(std::string why) {
        if (out_.distrust.empty()) out_.distrust = std::move(why);
    }

    void put_first(const fs::path& path) {
        std::vector<std::string> names;
        for (const auto& name : path.relative_path()) names.push_back(name);
        pending_.insert(pending_.begin(), names.begin(), names.end());
    }

    int enter(sdk::owned_fd fd, const struct stat& status, const fs::path& path) {
        auto access = other_writer(fd.get(), status, path, group_rule::trusted_only);
        folders_.push_back({std::move(fd), path, status, std::move(access)});
        return 0;
    }

    /// Judges a folder as one in which the path goes on.
    void judge(const folder& in) {
        if (const auto owner = foreign_owner(in.fd.get(), in.status); !owner.empty())
            distrust(fmt::format("lies in {}, which {}", in.path.string(), owner));
        // In a sticky folder only an entry's owner and the folder's own may replace it: then each entry counts.
        if (in.open_to_others() && !in.sticky())
            distrust(fmt::format("lies in {}, where others may replace it: {}", in.path.string(), in.who()));
    }

    int walk_all() {
        struct stat status {};
        sdk::owned_fd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!root || fstat(root.get(), &status) != 0) return errno;
        enter(std::move(root), status, "/");
        while (!pending_.empty()) {
            const auto name = std::move(pending_.front());
            pending_.pop_front();
            if (out_.file) return ENOTDIR; // a file in the middle
            if (name.empty() || name == ".") continue;
            if (name == "..") {
                if (folders_.size() > 1) folders_.pop_back();
                continue;
            }
            if (const int error = step(name); error != 0) return error;
        }
        return 0;
    }

    int step(const std::string& name) {
        judge(folders_.back());
        const int in = folders_.back().fd.get();
        // First as a folder: only that mounts what is mounted when it is needed.
        sdk::owned_fd fd(openat(in, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!fd && (errno == ENOTDIR || errno == ELOOP))
            fd = sdk::owned_fd(openat(in, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        struct stat status {};
        if (!fd || fstat(fd.get(), &status) != 0) return errno;
        const auto path = folders_.back().path / name;
        if (S_ISLNK(status.st_mode)) return follow(fd.get(), status, path);
        if (S_ISDIR(status.st_mode)) return enter(std::move(fd), status, path);
        if (auto owner = foreign_owner(fd.get(), status); !owner.empty()) distrust(std::move(owner));
        if (const auto other = other_writer(fd.get(), status, path, group_rule::nobody); !other.who.empty())
            distrust(fmt::format("may be written by others: {}; {}", other.who, other.remedy));
        out_.file = std::move(fd);
        out_.path = path;
        out_.status = status;
        return 0;
    }

    int follow(int link, const struct stat& status, const fs::path& path) {
        if (++links_ > most_links) return ELOOP;
        const auto& in = folders_.back();
        // Nobody writes to a link: it is replaced, by who may write its folder, and in a sticky one by its owner.
        if (in.sticky() && in.open_to_others() && !is_trusted_owner(status.st_uid))
            distrust(fmt::format("is reached by the symbolic link {}, which {} may replace; name the file itself",
                                 path.string(), user_words(status.st_uid)));
        std::string target(PATH_MAX, '\0');
        const auto length = readlinkat(link, "", target.data(), target.size());
        if (length < 0) return errno;
        target.resize(static_cast<std::size_t>(length));
        if (target.empty() || target.size() == PATH_MAX) return target.empty() ? ENOENT : ENAMETOOLONG;
        put_first(target);
        if (target.front() == '/') folders_.resize(1);
        return 0;
    }

    std::deque<std::string> pending_;
    std::vector<folder> folders_; // from "/" to where the walk is
    int links_ = 0;
    walked_path out_;
};

} // namespace

walked_path walk(const fs::path& path) { return walker(fs::absolute(path)).go(); }

} // namespace chimera::host
