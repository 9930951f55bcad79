#include "sim_process.hpp"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chimera::sim::test {
namespace {

constexpr const char* program = CHIMERA_BIN_DIR "/chimera-sim";

struct pipe_ends {
    int read = -1;
    int write = -1;
};

pipe_ends make_pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        throw std::runtime_error("pipe");
    }
    return {ends[0], ends[1]};
}

std::vector<char*> argument_pointers(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (auto& text : texts) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

pid_t spawn(std::vector<std::string> arguments, int in, int out, int err) {
    arguments.insert(arguments.begin(), program);
    auto pointers = argument_pointers(arguments);
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(in, STDIN_FILENO);
        dup2(out, STDOUT_FILENO);
        if (err >= 0) {
            dup2(err, STDERR_FILENO);
        }
        execv(program, pointers.data());
        _exit(127);
    }
    return pid;
}

std::string read_all(int fd) {
    std::string text;
    char buffer[4096];
    for (ssize_t count = 0; (count = read(fd, buffer, sizeof buffer)) > 0;) {
        text.append(buffer, static_cast<std::size_t>(count));
    }
    return text;
}

} // namespace

sim_process::sim_process(const std::vector<std::string>& arguments) {
    const auto in = make_pipe();
    const auto out = make_pipe();
    auto all = arguments;
    all.insert(all.end(), {"--quiet"});
    pid_ = spawn(all, in.read, out.write, -1);
    close(in.read);
    close(out.write);
    stdin_ = in.write;
    stdout_ = out.read;
    char c = 0;
    while (read(stdout_, &c, 1) == 1 && c != '\n') {
        line_ += c;
    }
    const auto colon = line_.rfind(':');
    if (colon == std::string::npos) {
        throw std::runtime_error("chimera-sim did not start: '" + line_ + "'");
    }
    port_ = static_cast<std::uint16_t>(std::stoi(line_.substr(colon + 1)));
}

sim_process::~sim_process() {
    if (pid_ > 0) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    close_stdin();
    if (stdout_ >= 0) {
        close(stdout_);
    }
}

std::size_t sim_process::open_files() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid_) + "/fd")) {
        static_cast<void>(entry);
        ++count;
    }
    return count;
}

void sim_process::close_stdin() {
    if (stdin_ >= 0) {
        close(std::exchange(stdin_, -1));
    }
}

int sim_process::wait_for_exit() {
    for (int i = 0; i < 2000; ++i) {
        int status = 0;
        if (waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = -1;
            rest_of_stdout = read_all(stdout_);
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return -1;
}

int sim_process::terminate() {
    kill(pid_, SIGTERM);
    return wait_for_exit();
}

run_result run_sim(const std::vector<std::string>& arguments) {
    const auto out = make_pipe();
    const auto err = make_pipe();
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const pid_t pid = spawn(arguments, nothing, out.write, err.write);
    close(out.write);
    close(err.write);
    close(nothing);
    run_result result;
    result.out = read_all(out.read);
    result.err = read_all(err.read);
    close(out.read);
    close(err.read);
    int status = 0;
    waitpid(pid, &status, 0);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return result;
}

} // namespace chimera::sim::test
