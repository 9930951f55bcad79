#include "sweep/server_watch.hpp"

#include "process/secrets.hpp"
#include "sweep/expected_time.hpp"

#include <chimera/sdk/owned_fd.hpp>

#include <boost/url/parse.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace chimera::host {
namespace {

/// "14:05:09", as the clock on the wall has it.
std::string time_of_day() { return fmt::format("{:%H:%M:%S}", fmt::localtime(std::time(nullptr))); }

bool uses_a_proxy(const profile& p) {
    return std::ranges::any_of(p.transport.options,
                               [](const option_value& o) { return o.key == "proxy" && !o.value.empty(); });
}

/// Connects within the limit. Returns errno, 0: connected.
int try_to_connect(int family, const sockaddr* address, socklen_t size, std::chrono::milliseconds limit) {
    const sdk::owned_fd fd(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return errno;
    if (connect(fd.get(), address, size) == 0) return 0;
    if (errno != EINPROGRESS && errno != EINTR) return errno;
    pollfd p{fd.get(), POLLOUT, 0};
    const auto until = std::chrono::steady_clock::now() + limit;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        if (left.count() <= 0) return ETIMEDOUT;
        if (const int n = poll(&p, 1, static_cast<int>(left.count())); n > 0) break;
    }
    int error = 0;
    socklen_t error_size = sizeof error;
    getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &error_size);
    return error;
}

std::string in_words(int error) { return error == 0 ? "" : std::strerror(error); }

std::string why_no_socket(const std::string& path, std::chrono::milliseconds limit) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof to.sun_path) return "the path of its socket is empty or too long";
    std::memcpy(to.sun_path, path.c_str(), path.size() + 1);
    return in_words(try_to_connect(AF_UNIX, reinterpret_cast<const sockaddr*>(&to), sizeof to, limit));
}

} // namespace

std::vector<std::string> watched_servers(const profile& p) {
    std::vector<std::string> out;
    if (uses_a_proxy(p)) return out;
    for (const agent_spec& a : p.workload.agents)
        if (!a.url.empty() && std::ranges::find(out, a.url) == out.end()) out.push_back(a.url);
    return out;
}

std::string why_unreachable(const std::string& text, std::chrono::milliseconds limit) {
    const auto parsed = boost::urls::parse_uri(text);
    if (!parsed) return "is not a URL";
    const auto& url = *parsed;
    if (url.scheme() == "http+unix") return why_no_socket(url.host().empty() ? url.path() : url.host(), limit);
    std::string host = url.host();
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2); // an IPv6 address
    const std::string port = url.has_port() ? std::string(url.port()) : url.scheme() == "https" ? "443" : "80";
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int error = getaddrinfo(host.c_str(), port.c_str(), &wanted, &found); error != 0)
        return gai_strerror(error);
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, freeaddrinfo);
    std::string why;
    for (const addrinfo* at = all.get(); at != nullptr; at = at->ai_next) {
        const int error = try_to_connect(at->ai_family, at->ai_addr, at->ai_addrlen, limit);
        if (error == 0) return "";
        if (why.empty()) why = in_words(error); // of the address that is preferred
    }
    return why;
}

server_watch::server_watch(std::chrono::duration<double> wait, std::function<void(const std::string&)> said)
    : wait_(wait), said_(std::move(said)) {}

bool server_watch::all_there(const profile& p) {
    if (!looks()) return true;
    for (const std::string& url : watched_servers(p)) {
        std::string why = why_unreachable(url);
        const auto known = away_.find(url);
        if (!why.empty()) {
            if (known != away_.end()) return false;
            said_(fmt::format("{}: {} cannot be reached ({}); the sweep waits for it, {} at most", time_of_day(),
                              without_url_secrets(url), why, duration_in_words(wait_.count())));
            away_.emplace(url, absence{clock::now(), std::move(why)});
            return false;
        }
        if (known != away_.end()) {
            const std::chrono::duration<double> gone = clock::now() - known->second.since;
            said_(fmt::format("{}: {} is back after {}; the sweep goes on", time_of_day(), without_url_secrets(url),
                              duration_in_words(gone.count())));
            away_.erase(known);
        }
    }
    return true;
}

std::optional<std::string> server_watch::awaited() const {
    const auto first = std::ranges::min_element(away_, {}, [](const auto& a) { return a.second.since; });
    return first == away_.end() ? std::nullopt : std::optional(without_url_secrets(first->first));
}

std::string server_watch::given_up(const profile& p) const {
    for (const std::string& url : watched_servers(p)) {
        const auto gone = away_.find(url);
        if (gone == away_.end()) continue;
        if (clock::now() - gone->second.since <= wait_) break; // nobody has looked at the others meanwhile
        return fmt::format("{} has been away for {} ({})", without_url_secrets(url), duration_in_words(wait_.count()),
                           gone->second.why);
    }
    return "";
}

} // namespace chimera::host
