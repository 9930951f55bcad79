// Whether the servers of a sweep can be reached. A server that is away is waited for: otherwise each of the cells that
// are left would fail within a tenth of a second.
#pragma once

#include "profile/profile.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// The URLs of a profile's agents, each once, in the order of the agents; simulators, which a cell starts itself, have
/// none. Empty also where the profile's transport is told to use a proxy: only it knows the way then.
std::vector<std::string> watched_servers(const profile&);

/// Opens a connection to the server of a URL and closes it again. Waits for `limit` at most, without the time that the
/// look-up of its name takes. Returns why it cannot be reached; empty: it can.
std::string why_unreachable(const std::string& url, std::chrono::milliseconds limit = std::chrono::seconds(2));

/// Knows since when which server is away, and says it. One thread.
class server_watch {
  public:
    using clock = std::chrono::steady_clock;

    /// wait: how long a server may be away; zero: nobody looks. said: called with a sentence when a server goes away,
    /// and when it is back.
    server_watch(std::chrono::duration<double> wait, std::function<void(const std::string&)> said);

    /// Connects to the profile's servers, up to the first that is away: each that does not say no takes two seconds.
    /// True: all of them can be reached, or nobody looks.
    bool all_there(const profile&);
    /// The server that has been away for longest, if one is.
    std::optional<std::string> awaited() const;
    /// That the first of the profile's servers that is away has been so for longer than it may be, in words; empty: it
    /// has not.
    std::string given_up(const profile&) const;
    bool looks() const noexcept { return wait_.count() > 0; }

  private:
    struct absence {
        clock::time_point since;
        std::string why;
    };

    const std::chrono::duration<double> wait_;
    const std::function<void(const std::string&)> said_;
    std::map<std::string, absence> away_;
};

} // namespace chimera::host
