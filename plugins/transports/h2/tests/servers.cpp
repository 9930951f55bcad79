#include "servers.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <doctest/doctest.h>

#include "chimera/sdk/owned_fd.hpp"

namespace chimera::h2::test {

folder::folder() {
    char pattern[] = "/tmp/h2_test.XXXXXX";
    if (!::mkdtemp(pattern)) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
    std::filesystem::permissions(path_, std::filesystem::perms(0755)); // nginx's workers read it as somebody else
}

folder::~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void folder::write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
}

void folder::make_certificate() const {
    const std::string command = "cd " + path_.string() +
                                " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "
                                "key.pem -out cert.pem -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 "
                                "2>/dev/null";
    if (std::system(command.c_str()) != 0) throw std::runtime_error("openssl req failed");
}

running_program::running_program(std::vector<std::string> command, std::string log) : log_(std::move(log)) {
    std::vector<char*> arguments;
    for (std::string& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    child_ = ::fork();
    if (child_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int out = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
}

running_program::~running_program() {
    ::kill(child_, SIGTERM);
    for (int i = 0; i < 500; ++i) {
        if (::waitpid(child_, nullptr, WNOHANG) == child_) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
}

template <class Ready>
void running_program::wait_until(Ready&& ready) const {
    for (int i = 0; i < 2000; ++i) {
        if (ready()) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    std::ostringstream said;
    said << std::ifstream(log_).rdbuf();
    throw std::runtime_error("a server does not start: " + said.str());
}

void running_program::wait_for_port(std::uint16_t port) const {
    wait_until([port] {
        const sdk::owned_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return ::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    });
}

void running_program::wait_for_path(const std::string& path) const {
    wait_until([&] { return std::filesystem::exists(path); });
}

std::string running_program::wait_for_line(const std::string& beginning) const {
    std::string found;
    wait_until([&] {
        std::ifstream in(log_);
        while (std::getline(in, found))
            if (found.starts_with(beginning) && !in.eof()) return true;
        return false;
    });
    return found;
}

std::string program(const std::string& name) {
    for (const char* in : {"/usr/bin/", "/usr/sbin/", "/usr/local/bin/"})
        if (::access((in + name).c_str(), X_OK) == 0) return in + name;
    MESSAGE("skipped: ", name, " is not installed (./dev test installs it)");
    return {};
}

} // namespace chimera::h2::test
