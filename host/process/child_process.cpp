#include "process/child_process.hpp"

#include <csignal>
#include <system_error>

#include <spawn.h>
#include <unistd.h>

extern char** environ;

namespace chimera::host {

pid_t spawn_child(std::vector<std::string> words, int in, int out, int err, std::vector<std::string> more,
                  pipe_signals pipes) {
    std::vector<char*> argv, environment;
    for (std::string& w : words) argv.push_back(w.data());
    argv.push_back(nullptr);
    for (char** variable = environ; *variable != nullptr; ++variable) environment.push_back(*variable);
    for (std::string& variable : more) environment.push_back(variable.data());
    environment.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (err >= 0) posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    sigset_t restored;
    sigemptyset(&restored);
    if (pipes == pipe_signals::restored)
        for (const int number : {SIGPIPE, SIGXFSZ}) sigaddset(&restored, number);
    posix_spawnattr_setsigdefault(&attributes, &restored);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t pid = -1;
    const int rc = posix_spawn(&pid, argv[0], &actions, &attributes, argv.data(), environment.data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0) throw std::system_error(rc, std::generic_category(), words[0]);
    return pid;
}

} // namespace chimera::host
