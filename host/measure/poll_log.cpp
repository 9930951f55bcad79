#include "measure/poll_log.hpp"

#include <algorithm>
#include <fstream>

#include <unistd.h>

namespace chimera::host {

thread_id this_thread_id() noexcept {
    thread_local const thread_id id = gettid();
    return id;
}

void poll_log::add(const poll_event& p) {
    polls.push_back(p);
    for (const thread_id id : {p.worker, p.woken_by}) {
        if (id == 0 || std::ranges::find(threads, id, &named_thread::id) != threads.end()) continue;
        std::ifstream comm("/proc/self/task/" + std::to_string(id) + "/comm");
        std::getline(comm, threads.emplace_back(named_thread{id, {}}).name);
    }
}

} // namespace chimera::host
