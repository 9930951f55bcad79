// A real TLS server: openssl s_server with a certificate made for the test, answering GET /NAME with the file NAME.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace curl_test {

class tls_server {
  public:
    tls_server() {
        char pattern[] = "/tmp/curl_test.XXXXXX";
        if (!::mkdtemp(pattern)) throw std::runtime_error("mkdtemp failed");
        folder_ = pattern;
        const std::string command = "cd " + folder_.string() +
                                    " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
                                    "-keyout key.pem -out cert.pem "
                                    "-days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null";
        if (std::system(command.c_str()) != 0) throw std::runtime_error("openssl req failed");
        child_ = ::fork();
        if (child_ == 0) {
            const std::string start = "cd " + folder_.string() +
                                      " && exec openssl s_server -HTTP -accept 127.0.0.1:0 -cert cert.pem -key key.pem "
                                      ">server.log 2>&1";
            ::execl("/bin/sh", "sh", "-c", start.c_str(), static_cast<char*>(nullptr));
            ::_exit(127);
        }
        for (int i = 0; i < 1000 && port_.empty(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            std::ifstream log(folder_ / "server.log");
            for (std::string line; std::getline(log, line);)
                if (line.starts_with("ACCEPT ")) port_ = line.substr(line.rfind(':') + 1);
        }
        if (port_.empty()) throw std::runtime_error("openssl s_server did not start");
    }
    tls_server(const tls_server&) = delete;
    tls_server& operator=(const tls_server&) = delete;
    ~tls_server() {
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
        std::filesystem::remove_all(folder_);
    }
    /// The raw response to GET /name.
    void answer(const std::string& name, std::string_view response) const {
        std::ofstream(folder_ / name, std::ios::binary) << response;
    }
    std::string url() const { return "https://127.0.0.1:" + port_; }
    std::string certificate() const { return (folder_ / "cert.pem").string(); }

  private:
    std::filesystem::path folder_;
    pid_t child_ = -1;
    std::string port_;
};

} // namespace curl_test
