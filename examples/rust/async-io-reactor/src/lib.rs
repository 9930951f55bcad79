//! The reactor of smol and async-std, which is the same: async-io's, one for the process, with a thread of its own that turns
//! it whenever no executor does.
//!
//! It asks the kernel anew for each wait (one-shot, level-triggered), so nothing is lost by forgetting readiness: what it
//! reported is remembered here until it is cleared, and the next poll asks again.

use async_io::{Async, Timer};
use chimera_plugin::abi::{CHM_IO_ERR, CHM_IO_HUP, CHM_IO_READ, CHM_IO_WRITE};
use chimera_plugin::{ended, Io, Reactor};
use std::future::Future;
use std::io;
use std::os::unix::io::{AsRawFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

/// async-io's reactor.
pub struct AsyncIo;

/// A descriptor that is somebody else's: never closed here.
struct Borrowed(RawFd);
impl AsRawFd for Borrowed {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

/// A watched descriptor.
pub struct Watched {
    fd: Async<Borrowed>,
    ready: u32,
}

/// A timer.
pub struct Alarm(Timer);

impl Reactor for AsyncIo {
    type Io = Watched;
    type Timer = Alarm;

    fn register(&self, fd: RawFd) -> io::Result<Watched> {
        Ok(Watched { fd: Async::new(Borrowed(fd))?, ready: 0 })
    }
    fn timer(&self) -> Alarm {
        Alarm(Timer::never())
    }
}

impl Io for Watched {
    fn poll_ready(&mut self, interest: u32, cx: &mut Context<'_>) -> u32 {
        let nothing_else = interest & (CHM_IO_READ | CHM_IO_WRITE) == 0;
        // async-io has no wait for the peer's end alone: who has no interest waits for something to read, and looks then. An end
        // behind bytes that nobody reads is heard of when they are read: level-triggered, they would be reported again and again.
        let interest = if nothing_else { CHM_IO_READ } else { interest };
        let missing = interest & !self.ready;
        if missing == interest {
            for (bit, poll) in [
                (CHM_IO_READ, Async::poll_readable as fn(&Async<Borrowed>, &mut Context<'_>) -> Poll<io::Result<()>>),
                (CHM_IO_WRITE, Async::poll_writable),
            ] {
                if missing & bit != 0 {
                    match poll(&self.fd, cx) {
                        Poll::Ready(Ok(())) => self.ready |= bit,
                        Poll::Ready(Err(_)) => self.ready |= CHM_IO_ERR,
                        Poll::Pending => {}
                    }
                }
            }
        }
        if nothing_else {
            self.ready |= ended(self.fd.as_raw_fd());
            return self.ready & (CHM_IO_HUP | CHM_IO_ERR);
        }
        self.ready & (interest | CHM_IO_HUP | CHM_IO_ERR)
    }
    fn clear(&mut self, bits: u32, _recheck: bool) {
        self.ready &= !bits;
    }
}

impl chimera_plugin::Timer for Alarm {
    fn set(&mut self, at: Instant) {
        self.0.set_at(at);
    }
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}
