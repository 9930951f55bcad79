//! The contract's reactor on tokio's. Both are edge-triggered with sticky readiness and a tick; a guard of `AsyncFd` holds the
//! tick that a poll saw, and so is what a clear needs.

use chimera_plugin::abi::{CHM_IO_ERR, CHM_IO_READ, CHM_IO_WRITE};
use chimera_plugin::{ended, Io, Reactor, Timer};
use std::future::Future;
use std::io;
use std::os::unix::io::{AsRawFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};
use tokio::runtime::Handle;
use tokio::time::{sleep_until, Sleep};

/// tokio's reactor, reached from any thread.
pub struct TokioReactor(Handle);

impl TokioReactor {
    pub fn new(runtime: Handle) -> Self {
        Self(runtime)
    }
}

impl Reactor for TokioReactor {
    type Io = Watched;
    type Timer = Alarm;

    fn register(&self, fd: RawFd) -> io::Result<Watched> {
        let _inside = self.0.enter();
        let fd = Box::leak(Box::new(AsyncFd::new(Borrowed(fd))?));
        Ok(Watched { fd, read: None, write: None, unread: false })
    }
    fn timer(&self) -> Alarm {
        let _inside = self.0.enter();
        Alarm(Box::pin(sleep_until(Instant::now().into())))
    }
}

/// A descriptor that is somebody else's: never closed here.
struct Borrowed(RawFd);
impl AsRawFd for Borrowed {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

/// A watched descriptor.
pub struct Watched {
    fd: &'static AsyncFd<Borrowed>, // owned: freed by drop, after the guards that point to it
    read: Option<Seen>,
    write: Option<Seen>,
    unread: bool, // there was something to read, which tokio was told to forget
}

impl Watched {
    /// tokio cannot wait for the peer's end alone. It is asked for something to read. If that is not the end, it is remembered
    /// here and forgotten there, so that tokio waits for the next change.
    fn poll_ended(&mut self, cx: &mut Context<'_>) -> u32 {
        for _ in 0..2 {
            match self.fd.poll_read_ready(cx) {
                Poll::Pending => return ended(self.fd.as_raw_fd()),
                Poll::Ready(Err(_)) => return CHM_IO_ERR,
                Poll::Ready(Ok(mut seen)) => {
                    let gone = ended(self.fd.as_raw_fd());
                    if gone != 0 {
                        return gone;
                    }
                    self.unread = true;
                    seen.clear_ready(); // not what came since
                }
            }
        }
        cx.waker().wake_by_ref(); // bytes come faster than they are looked at
        0
    }
}

impl Io for Watched {
    fn poll_ready(&mut self, interest: u32, cx: &mut Context<'_>) -> u32 {
        if interest & (CHM_IO_READ | CHM_IO_WRITE) == 0 {
            return self.poll_ended(cx);
        }
        let mut ready = 0;
        if interest & CHM_IO_READ != 0 && self.unread {
            ready |= CHM_IO_READ;
        } else if interest & CHM_IO_READ != 0 {
            ready |= note(self.fd.poll_read_ready(cx), &mut self.read, CHM_IO_READ);
        }
        if interest & CHM_IO_WRITE != 0 {
            ready |= note(self.fd.poll_write_ready(cx), &mut self.write, CHM_IO_WRITE);
        }
        ready
    }
    fn clear(&mut self, bits: u32, recheck: bool) {
        // tokio learns only of changes, so bytes that are still there must not be forgotten. Asked after the guard was made:
        // bytes that come after the question are reported, and then an earlier guard clears nothing.
        let left = if recheck { still_ready(self.fd.as_raw_fd()) } else { 0 };
        self.unread &= bits & CHM_IO_READ & !left == 0;
        for (bit, guard) in [(CHM_IO_READ, &mut self.read), (CHM_IO_WRITE, &mut self.write)] {
            if bits & bit & !left != 0 {
                if let Some(mut seen) = guard.take() {
                    seen.clear_ready();
                }
            }
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        (self.read, self.write) = (None, None);
        let fd = self.fd as *const AsyncFd<Borrowed> as *mut AsyncFd<Borrowed>;
        drop(unsafe { Box::from_raw(fd) }); // deregisters
    }
}

type Seen = AsyncFdReadyGuard<'static, Borrowed>;

/// Keeps the guard of a poll that found `bit`. A runtime that is gone reports an error.
fn note(polled: Poll<io::Result<Seen>>, guard: &mut Option<Seen>, bit: u32) -> u32 {
    match polled {
        Poll::Pending => 0,
        Poll::Ready(Ok(seen)) => {
            *guard = Some(seen);
            bit
        }
        Poll::Ready(Err(_)) => CHM_IO_ERR,
    }
}

fn still_ready(fd: RawFd) -> u32 {
    let mut asked = libc::pollfd { fd, events: libc::POLLIN | libc::POLLOUT | libc::POLLRDHUP, revents: 0 };
    unsafe { libc::poll(&mut asked, 1, 0) };
    let bit = |events, bit| if asked.revents & events != 0 { bit } else { 0 };
    let gone = libc::POLLHUP | libc::POLLERR;
    bit(libc::POLLIN | libc::POLLRDHUP | gone, CHM_IO_READ) | bit(libc::POLLOUT | gone, CHM_IO_WRITE)
}

/// A timer.
pub struct Alarm(Pin<Box<Sleep>>);

impl Timer for Alarm {
    fn set(&mut self, at: Instant) {
        self.0.as_mut().reset(at.into());
    }
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}
