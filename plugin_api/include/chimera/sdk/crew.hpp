// For authors of executors: the threads of a run, which begin together or not at all.
#pragma once

#include <cstddef>
#include <latch>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "error.hpp"

namespace chimera::sdk {

/// Threads that wait until all of them exist. So a run that cannot have all its threads has polled nothing, and fails.
///
///   sdk::crew crew(size, [&](std::size_t i) { work(i); });  // may throw: no task was touched
///   decide_what_is_idle(mode);
///   crew.begin();
///   crew.join();
class crew {
  public:
    /// Starts threads that call work(0), work(1), ... after begin(). Throws error (CHM_E_FAIL), std::bad_alloc: one
    /// could not be started; those before it are gone, and none of them has called work.
    template <class F>
    crew(std::size_t size, F work) {
        try {
            threads_.reserve(size); // a thread that has started is always in the list, to be joined
            for (std::size_t i = 0; i < size; ++i)
                threads_.emplace_back([this, i, work] {
                    decided_.wait();
                    if (begun_) work(i);
                });
        } catch (const std::system_error& e) {
            join();
            throw error(CHM_E_FAIL, std::string("cannot start a worker thread: ") + e.what());
        } catch (...) {
            join();
            throw;
        }
    }
    crew(const crew&) = delete;
    crew& operator=(const crew&) = delete;
    ~crew() { join(); }

    /// [the creator's thread, once]
    void begin() noexcept {
        begun_ = true;
        decided_.count_down();
    }
    /// [the creator's thread] Returns when every thread has ended; those that have not begun go home.
    void join() noexcept {
        if (threads_.empty()) return;
        if (!begun_) decided_.count_down();
        for (std::thread& t : threads_) t.join();
        threads_.clear();
    }

  private:
    std::latch decided_{1};
    bool begun_ = false; // written before decided_ opens
    std::vector<std::thread> threads_;
};

} // namespace chimera::sdk
