//! The reactor of smol and async-std, which is the same: async-io's, one for the process, with a thread of its own that turns
//! it whenever no executor does.
//!
//! It asks the kernel anew for each wait (one-shot, level-triggered), so nothing is lost by forgetting readiness: what it
//! reported is remembered here until it is cleared, and the next poll asks again.

use async_io::{Async, Timer};
use chimera_plugin::abi::{CHM_IO_ERR, CHM_IO_READ, CHM_IO_WRITE};
use chimera_plugin::{Io, Reactor};
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
        self.ready & (interest | CHM_IO_ERR)
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
