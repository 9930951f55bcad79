// Real servers: nghttpd, nginx and openssl, as processes.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace chimera::h2::test {

/// A folder that goes with its owner.
class folder {
  public:
    folder();
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    ~folder();
    std::string operator/(const std::string& name) const { return (path_ / name).string(); }
    void write(const std::string& name, const std::string& text) const;
    /// Makes cert.pem and key.pem for 127.0.0.1.
    void make_certificate() const;

  private:
    std::filesystem::path path_;
};

/// A program that runs until its owner goes. Its output is in `log`.
class running_program {
  public:
    running_program(std::vector<std::string> command, std::string log);
    running_program(const running_program&) = delete;
    running_program& operator=(const running_program&) = delete;
    ~running_program();
    /// Waits until somebody listens on the port, or on the unix socket. Throws with the log when nobody does for 20 s.
    void wait_for_port(std::uint16_t port) const;
    void wait_for_path(const std::string& path) const;
    /// The first line of the log that begins so; waits for it.
    std::string wait_for_line(const std::string& beginning) const;

  private:
    template <class Ready>
    void wait_until(Ready&& ready) const;
    std::string log_;
    pid_t child_;
};

/// Where a program is; empty: nowhere, and the test is skipped with a message.
std::string program(const std::string& name);

} // namespace chimera::h2::test
