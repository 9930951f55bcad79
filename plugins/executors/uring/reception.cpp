#include "reception.hpp"

#include <linux/errqueue.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>

#include "chimera/sdk/error.hpp"

namespace chimera::uring {

namespace {

/// How a buffer is laid out: a header, room for control messages, the bytes. The kernel reads the shape when it begins.
msghdr shape_of(std::size_t control) noexcept {
    msghdr shape{};
    shape.msg_controllen = control;
    return shape;
}
msghdr plain = shape_of(0);
msghdr stamped = shape_of(CMSG_SPACE(sizeof(scm_timestamping)));

std::uint64_t stamp_in(io_uring_recvmsg_out* out, msghdr& shape) noexcept {
    const cmsghdr* const first = io_uring_recvmsg_cmsg_firsthdr(out, &shape); // the only one that was asked for
    if (!first || first->cmsg_level != SOL_SOCKET || first->cmsg_type != SCM_TIMESTAMPING) return 0;
    timespec software; // the first of three
    std::memcpy(&software, reinterpret_cast<const char*>(first) + CMSG_LEN(0), sizeof software);
    return static_cast<std::uint64_t>(software.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(software.tv_nsec);
}

} // namespace

void reception::start() noexcept {
    begin();
    end_watch_.begin();
}

void reception::end_watch::begin() noexcept {
    of_.home.requests().ask(*this, [&](io_uring_sqe* sqe) { io_uring_prep_poll_add(sqe, of_.fd_, POLLRDHUP); });
}

void reception::end_watch::answered(int result, std::uint32_t) noexcept {
    if (of_.closed_ && !of_.asked())
        delete &of_;
    else if (!of_.closed_ && result > 0)
        of_.home.requests().cancel(of_); // it begins anew, and finds the end
}

void reception::begin() noexcept {
    starving_ = false;
    home.requests().ask(*this, [&](io_uring_sqe* sqe) {
        io_uring_prep_recvmsg_multishot(sqe, fd_, stamps_ ? &stamped : &plain, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = buffer_ring::group;
    });
}

void reception::answered(int result, std::uint32_t flags) noexcept {
    buffer_ring& buffers = home.buffers();
    const bool has_buffer = (flags & IORING_CQE_F_BUFFER) != 0;
    if (has_buffer) {
        const unsigned id = flags >> IORING_CQE_BUFFER_SHIFT;
        piece& p = buffers.take(id);
        if (closed_ || result <= 0)
            buffers.lend(id);
        else
            take(p, id, result);
    }
    // The end comes as a header without bytes, or as 0.
    if (result < 0 ? result != -ECANCELED && result != -ENOBUFS : result == 0 || !has_buffer) {
        over_ = true;
        error_ = -result;
    }
    if (closed_) {
        if (!asked()) delete this;
        return;
    }
    const bool enough = held_ * buffers.buffer_size() + moved_out_.size() - moved_read_ >= read_ahead;
    if (in_flight()) {
        if (enough && !pausing_) {
            pausing_ = true;
            home.requests().cancel(*this);
        }
    } else {
        pausing_ = false;
        if (!over_ && !enough && result == -ENOBUFS) {
            starving_ = true;
            home.starves(*this);
        } else if (!over_ && !unread()) {
            begin(); // it was read empty before the pause began; or the kernel has ended it for reasons of its own
        }
    }
    if (unread() || over_) waiter.wake();
}

void reception::take(piece& p, unsigned buffer, int result) noexcept {
    msghdr& shape = stamps_ ? stamped : plain;
    io_uring_recvmsg_out* const out = io_uring_recvmsg_validate(home.buffers().at(buffer), result, &shape);
    const std::size_t length = out ? io_uring_recvmsg_payload_length(out, result, &shape) : 0;
    if (length == 0) {
        home.buffers().lend(buffer);
        over_ = true;
        return;
    }
    p = {nullptr, static_cast<const char*>(io_uring_recvmsg_payload(out, &shape)), length,
         stamps_ ? stamp_in(out, shape) : 0, buffer};
    (first_ ? last_->next : first_) = &p;
    last_ = &p;
    ++held_;
}

/// Gives the first buffer back, which has been read.
piece* reception::lend_first() noexcept {
    const piece& read = *first_;
    first_ = read.next;
    --held_;
    home.buffers().lend(read.buffer);
    return first_;
}

std::size_t reception::read(char* to, std::size_t capacity, std::uint64_t& stamp_ns) noexcept {
    std::size_t done = std::min(capacity, moved_out_.size() - moved_read_);
    if (done != 0) {
        std::memcpy(to, moved_out_.data() + moved_read_, done);
        moved_read_ += done;
        stamp_ns = moved_stamp_ns_;
        if (moved_read_ == moved_out_.size()) {
            moved_out_ = {};
            moved_read_ = 0;
        }
    }
    while (first_ && done < capacity) {
        piece& p = *first_;
        const std::size_t n = std::min(capacity - done, p.length);
        std::memcpy(to + done, p.bytes, n);
        done += n;
        p.bytes += n;
        p.length -= n;
        stamp_ns = p.stamp_ns;
        if (p.length == 0) lend_first();
    }
    return done;
}

chm_rc reception::poll(chm_waker* waker, char* to, std::size_t capacity, chm_received& out) noexcept {
    if (unread()) {
        if (capacity == 0) return CHM_READY;
        out.count = read(to, capacity, out.kernel_ns);
        if (!unread() && !in_flight() && !over_ && !starving_) begin(); // the pause is over
        return CHM_READY;
    }
    if (over_) {
        if (capacity == 0) return CHM_READY;
        out.os_error = error_;
        return error_ != 0 ? CHM_E_IO : CHM_END;
    }
    if (waker) waiter.become(waker);
    return CHM_PENDING;
}

void reception::move_out() noexcept {
    if (!first_) return;
    try {
        std::size_t length = moved_out_.size();
        for (const piece* p = first_; p; p = p->next) length += p->length;
        moved_out_.reserve(length);
    } catch (const std::bad_alloc&) {
        return; // they stay where they are, and others have to wait until they are read
    }
    do {
        moved_out_.insert(moved_out_.end(), first_->bytes, first_->bytes + first_->length);
        moved_stamp_ns_ = first_->stamp_ns;
    } while (lend_first());
}

void reception::end() noexcept {
    closed_ = true;
    home.receiving().erase(fd_);
    while (first_) lend_first();
    if (starving_) home.starves_no_more(*this);
    if (!asked()) {
        delete this;
        return;
    }
    home.requests().cancel(*this);
    home.requests().cancel(end_watch_);
    home.requests().flush();
}

// --- the extension ---

namespace {

reception& self(chm_recv* r) noexcept { return *reinterpret_cast<reception*>(r); }

bool is_socket(int fd) noexcept {
    struct stat about {};
    return fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode);
}

chm_rc start(chm_reactor* r, int fd, std::uint32_t flags, chm_recv** out) noexcept {
    worker* const home = static_cast<reactor*>(r)->here();
    if (!home) return CHM_E_AFFINITY;
    if (!is_socket(fd)) return CHM_E_INVAL;
    return sdk::guarded(nullptr, [&]() -> chm_rc {
        if (!home->receiving().insert(fd).second) return CHM_E_STATE;
        auto* const made = new (std::nothrow) reception(*home, fd, flags);
        if (!made) {
            home->receiving().erase(fd);
            return CHM_E_NOMEM;
        }
        made->start();
        *out = reinterpret_cast<chm_recv*>(made);
        return CHM_OK;
    });
}

chm_rc poll(chm_reactor*, chm_recv* r, chm_waker* waker, void* to, std::uint64_t capacity, chm_received* out) noexcept {
    out->os_error = 0; // this revision's members are there, whatever size says
    out->count = out->kernel_ns = 0;
    return &self(r).home == worker::current() ? self(r).poll(waker, static_cast<char*>(to), capacity, *out)
                                              : std::int32_t{CHM_E_AFFINITY};
}

void close(chm_reactor*, chm_recv* r) noexcept {
    if (&self(r).home == worker::current()) self(r).let_go(); // else it cannot be done here; its worker finds it
}

} // namespace

const chm_recv_ops recv_ops{sizeof(chm_recv_ops), 0, start, poll, close};

} // namespace chimera::uring
