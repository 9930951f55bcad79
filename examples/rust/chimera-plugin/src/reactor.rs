//! `chimera.reactor/1` on top of a runtime's own reactor.

use crate::abi::*;
use crate::error::contained;
use crate::waker::{from_abi, Slot};
use std::io;
use std::os::raw::{c_char, c_void};
use std::os::unix::io::RawFd;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// A runtime's reactor, used from any thread. Its descriptors and timers each have one user at a time.
pub trait Reactor: Send + Sync + 'static {
    type Io: Io;
    type Timer: Timer;
    /// Starts watching `fd`, which stays the caller's. Dropping the `Io` ends that at once, before `fd` is closed.
    fn register(&self, fd: RawFd) -> io::Result<Self::Io>;
    /// A timer that is not set.
    fn timer(&self) -> Self::Timer;
}

/// A watched descriptor. Bits are `CHM_IO_*`.
pub trait Io: Send {
    /// The bits of `interest` that are ready; with none, or beside them, what `ended` finds. 0: `cx`'s waker is woken when one of
    /// them may be.
    fn poll_ready(&mut self, interest: u32, cx: &mut Context<'_>) -> u32;
    /// Forgets `bits`, as the latest `poll_ready` saw them: what the kernel reported since stays. `recheck`: there may be
    /// something left, which the next `poll_ready` has to find.
    fn clear(&mut self, bits: u32, recheck: bool);
}

/// `CHM_IO_HUP` where the peer has ended its sending, `CHM_IO_ERR` where the descriptor has failed: what is of interest to who
/// waits for nothing else.
pub fn ended(fd: RawFd) -> u32 {
    let mut asked = libc::pollfd { fd, events: libc::POLLRDHUP, revents: 0 };
    unsafe { libc::poll(&mut asked, 1, 0) };
    let bit = |events, bit| if asked.revents & events != 0 { bit } else { 0 };
    bit(libc::POLLRDHUP | libc::POLLHUP, CHM_IO_HUP) | bit(libc::POLLERR | libc::POLLNVAL, CHM_IO_ERR)
}

/// A timer of the runtime.
pub trait Timer: Send {
    fn set(&mut self, at: Instant);
    /// Ready at the set time or later; before that, `cx`'s waker is woken then.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// The reactor as an executor's extension.
#[repr(C)]
pub(crate) struct AbiReactor<R: Reactor> {
    head: chm_reactor, // first: a chm_reactor * is an AbiReactor *
    reactor: R,
}

struct IoObject<I> {
    io: I,
    slot: Arc<Slot>,
    waker: Waker, // the slot's
    tick: u32,    // of the latest poll that found something
}

struct TimerObject<T> {
    timer: T,
    slot: Arc<Slot>,
    waker: Waker,
    armed: u64, // 0: not
}

/// What a runtime's timer is set to at most; who waits longer is polled once in between.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
const TICKS: u32 = 0xff_ffff;

impl<R: Reactor> AbiReactor<R> {
    pub fn new(reactor: R) -> Self {
        Self { head: chm_reactor { vt: &Self::TABLE }, reactor }
    }
    pub fn as_abi(&self) -> *const c_void {
        (self as *const Self).cast()
    }

    const TABLE: chm_reactor_vt = chm_reactor_vt {
        size: size::<chm_reactor_vt>(),
        flags: CHM_REACTOR_ANY_THREAD,
        io_register: Self::io_register,
        io_poll: Self::io_poll,
        io_clear: Self::io_clear,
        io_deregister: Self::io_deregister,
        timer_create: Self::timer_create,
        timer_poll: Self::timer_poll,
        timer_destroy: Self::timer_destroy,
        get_extension: Self::get_extension,
    };

    unsafe extern "C" fn io_register(r: *mut chm_reactor, fd: i32, out: *mut *mut chm_io) -> chm_rc {
        contained(CHM_E_FAIL, || match (*(r as *mut Self)).reactor.register(fd) {
            Ok(io) => {
                let slot = Arc::new(Slot::default());
                let object = Box::new(IoObject { io, waker: slot.clone().into(), slot, tick: 0 });
                *out = Box::into_raw(object).cast();
                CHM_OK
            }
            Err(e) => match e.kind() {
                io::ErrorKind::AlreadyExists => CHM_E_STATE,
                io::ErrorKind::OutOfMemory => CHM_E_NOMEM,
                _ => CHM_E_INVAL,
            },
        })
    }
    unsafe extern "C" fn io_poll(_: *mut chm_reactor, io: *mut chm_io, interest: u32, waker: *mut chm_waker) -> u32 {
        contained(CHM_IO_ERR, || {
            let object = &mut *(io as *mut IoObject<R::Io>);
            object.slot.set(from_abi(waker)); // before the look: an event after it finds the waker
            let ready = object.io.poll_ready(interest, &mut Context::from_waker(&object.waker));
            if ready == 0 {
                return 0;
            }
            drop(object.slot.take());
            object.tick = (object.tick + 1) & TICKS;
            ready | object.tick << 8
        })
    }
    unsafe extern "C" fn io_clear(_: *mut chm_reactor, io: *mut chm_io, seen: u32, bits: u32, how: u32) {
        contained((), || {
            let object = &mut *(io as *mut IoObject<R::Io>);
            if seen >> 8 == object.tick {
                object.io.clear(bits & (CHM_IO_READ | CHM_IO_WRITE), how == CHM_IO_RECHECK);
            }
        })
    }
    unsafe extern "C" fn io_deregister(_: *mut chm_reactor, io: *mut chm_io) {
        contained((), || {
            let object = Box::from_raw(io as *mut IoObject<R::Io>);
            drop(object.slot.take()); // a wake that is under way finds nobody
        })
    }

    unsafe extern "C" fn timer_create(r: *mut chm_reactor, out: *mut *mut chm_timer) -> chm_rc {
        contained(CHM_E_FAIL, || {
            let slot = Arc::new(Slot::default());
            let timer = (*(r as *mut Self)).reactor.timer();
            let object = Box::new(TimerObject { timer, waker: slot.clone().into(), slot, armed: 0 });
            *out = Box::into_raw(object).cast();
            CHM_OK
        })
    }
    unsafe extern "C" fn timer_poll(
        _: *mut chm_reactor,
        timer: *mut chm_timer,
        deadline_ns: u64,
        waker: *mut chm_waker,
    ) -> chm_rc {
        contained(CHM_E_FAIL, || {
            let object = &mut *(timer as *mut TimerObject<R::Timer>);
            object.poll(deadline_ns, waker)
        })
    }
    unsafe extern "C" fn timer_destroy(_: *mut chm_reactor, timer: *mut chm_timer) {
        contained((), || {
            let object = Box::from_raw(timer as *mut TimerObject<R::Timer>);
            drop(object.slot.take());
        })
    }

    unsafe extern "C" fn get_extension(_: *mut chm_reactor, _: *const c_char) -> *const c_void {
        std::ptr::null()
    }
}

impl<T: Timer> TimerObject<T> {
    unsafe fn poll(&mut self, deadline_ns: u64, waker: *mut chm_waker) -> chm_rc {
        loop {
            let now = now_ns();
            if now >= deadline_ns {
                self.armed = 0;
                drop(self.slot.take());
                return CHM_READY;
            }
            self.slot.set(from_abi(waker));
            if self.armed != deadline_ns {
                self.timer.set(Instant::now() + Duration::from_nanos(deadline_ns - now).min(LONGEST));
                self.armed = deadline_ns;
            }
            if self.timer.poll(&mut Context::from_waker(&self.waker)).is_pending() {
                return CHM_PENDING;
            }
            self.armed = 0; // due this moment, or LONGEST has passed
        }
    }
}

/// CLOCK_MONOTONIC in nanoseconds: the clock behind std's Instant, which does not show it.
pub fn now_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
