//! `chimera.bridge/1` for a runtime that blocks: a transport whose exchanges wait for a foreign reactor inside the poll, as
//! `block_on` inside a task does. The worker is held meanwhile, and every other task of that worker waits too.
//!
//! The bridge that awaits needs no code: a session is given the foreign reactor, and that reactor wakes the task.

use crate::abi::*;
use crate::error::{contained, fail, guarded, Error};
use crate::executor::{is, Executor, Runtime};
use crate::reactor::now_ns;
use crate::task::Life;
use crate::waker::AbiWaker;
use std::marker::PhantomData;
use std::os::raw::{c_char, c_void};
use std::ptr;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::thread::{current, park, Thread};

/// The transport that the executor's tasks use.
#[repr(C)]
pub(crate) struct Bridge<R: Runtime> {
    head: chm_transport, // first, as in what follows
    near: *mut chm_executor,
    reactor: *mut chm_reactor, // the foreign executor's
    inner: *mut chm_transport,
    timing: *const chm_timing_ext, // the inner transport's, or null
    runtime: PhantomData<R>,
}

#[repr(C)]
struct Session {
    head: chm_session,
    inner: *mut chm_session,
    timing: *const chm_timing_ext,
    life: Arc<Life>,
}

#[repr(C)]
struct Exchange {
    head: chm_exchange,
    inner: *mut chm_exchange,
    timing: *const chm_timing_ext,
    life: Arc<Life>,
    resumed_ns: u64, // when the wait inside the latest poll ended; 0: it did not wait
}

impl<R: Runtime> Bridge<R> {
    pub const EXTENSION: chm_bridge_ext = chm_bridge_ext { size: size::<chm_bridge_ext>(), flags: 0, wrap: Self::wrap };
    const TABLE: chm_transport_vt = chm_transport_vt {
        size: size::<chm_transport_vt>(),
        flags: 0,
        open: Self::open,
        destroy: Self::destroy,
        get_extension: Self::get_extension,
    };

    unsafe extern "C" fn wrap(
        near: *mut chm_executor,
        foreign: *mut chm_executor,
        inner: *mut chm_transport,
        out: *mut *mut chm_transport,
        err: *mut chm_error,
    ) -> chm_rc {
        guarded(err, || {
            let reactor = extension(foreign, (*(*foreign).vt).get_extension, CHM_EXT_REACTOR) as *mut chm_reactor;
            if reactor.is_null() {
                return Err(Error::new(CHM_E_NOSYS, "the foreign executor has no reactor"));
            }
            if (*(*reactor).vt).flags & CHM_REACTOR_ANY_THREAD == 0 {
                return Err(Error::new(CHM_E_AFFINITY, "the foreign executor's reactor works on its own threads only"));
            }
            let timing = extension(inner, (*(*inner).vt).get_extension, CHM_EXT_TIMING).cast();
            let head = chm_transport { vt: &Self::TABLE };
            *out = Box::into_raw(Box::new(Self { head, near, reactor, inner, timing, runtime: PhantomData })).cast();
            Ok(CHM_OK)
        })
    }

    unsafe extern "C" fn open(
        t: *mut chm_transport,
        args: *const chm_session_args,
        out: *mut *mut chm_session,
        err: *mut chm_error,
    ) -> chm_rc {
        guarded(err, || {
            let this = &*(t as *const Self);
            let foreign = chm_session_args { executor: this.near, reactor: this.reactor, ..*args };
            let mut inner = ptr::null_mut();
            let rc = ((*(*this.inner).vt).open)(this.inner, &foreign, &mut inner, err);
            if rc < 0 {
                return Ok(rc);
            }
            let head = chm_session { vt: &Session::TABLE };
            let life = Executor::<R>::life_of(this.near);
            *out = Box::into_raw(Box::new(Session { head, inner, timing: this.timing, life })).cast();
            Ok(rc)
        })
    }

    unsafe extern "C" fn destroy(t: *mut chm_transport) {
        contained((), || drop(Box::from_raw(t as *mut Self)));
    }

    unsafe extern "C" fn get_extension(t: *mut chm_transport, id: *const c_char) -> *const c_void {
        if is(id, CHM_EXT_TIMING) && !(*(t as *const Self)).timing.is_null() {
            return (&Exchange::TIMING as *const chm_timing_ext).cast();
        }
        ptr::null()
    }
}

impl Session {
    const TABLE: chm_session_vt =
        chm_session_vt { size: size::<chm_session_vt>(), flags: 0, start: Self::start, close: Self::close };

    unsafe extern "C" fn start(
        s: *mut chm_session,
        request: *const chm_request,
        out: *mut *mut chm_exchange,
        err: *mut chm_error,
    ) -> chm_rc {
        guarded(err, || {
            let this = &*(s as *const Self);
            let mut inner = ptr::null_mut();
            let rc = ((*(*this.inner).vt).start)(this.inner, request, &mut inner, err);
            if rc >= 0 {
                let head = chm_exchange { vt: &Exchange::TABLE };
                let (timing, life) = (this.timing, this.life.clone());
                *out = Box::into_raw(Box::new(Exchange { head, inner, timing, life, resumed_ns: 0 })).cast();
            }
            Ok(rc)
        })
    }
    unsafe extern "C" fn close(s: *mut chm_session) {
        contained((), || {
            let this = Box::from_raw(s as *mut Self);
            ((*(*this.inner).vt).close)(this.inner);
        });
    }
}

impl Exchange {
    const TABLE: chm_exchange_vt = chm_exchange_vt {
        size: size::<chm_exchange_vt>(),
        flags: 0,
        poll_head: Self::poll_head,
        poll_chunk: Self::poll_chunk,
        close: Self::close,
    };
    const TIMING: chm_timing_ext = chm_timing_ext { size: size::<chm_timing_ext>(), flags: 0, read: Self::read_timing };

    unsafe extern "C" fn poll_head(
        x: *mut chm_exchange,
        _: *mut chm_waker,
        head: *mut chm_head,
        err: *mut chm_error,
    ) -> chm_rc {
        let this = &mut *(x as *mut Self);
        let inner = this.inner;
        this.block_on(err, |w| ((*(*inner).vt).poll_head)(inner, w, head, err))
    }
    unsafe extern "C" fn poll_chunk(
        x: *mut chm_exchange,
        _: *mut chm_waker,
        view: *mut chm_str,
        err: *mut chm_error,
    ) -> chm_rc {
        let this = &mut *(x as *mut Self);
        let inner = this.inner;
        this.block_on(err, |w| ((*(*inner).vt).poll_chunk)(inner, w, view, err))
    }

    /// Polls with a waker that resumes this thread, and sleeps in between. Stop ends it.
    unsafe fn block_on(&mut self, err: *mut chm_error, poll: impl Fn(*mut chm_waker) -> chm_rc) -> chm_rc {
        guarded(err, || {
            thread_local!(static RESUME: (Waker, Arc<AbiWaker>) = resume_this_thread());
            RESUME.with(|(waker, resume)| {
                self.resumed_ns = 0;
                loop {
                    if !self.life.wake_at_stop(waker) {
                        let why = "stopped while a worker waited for the foreign executor";
                        return Ok(fail(err, &Error::new(CHM_E_CANCELED, why)));
                    }
                    let rc = poll(resume.as_abi());
                    if rc != CHM_PENDING {
                        return Ok(rc);
                    }
                    park();
                    self.resumed_ns = now_ns();
                }
            })
        })
    }

    unsafe extern "C" fn close(x: *mut chm_exchange) {
        contained((), || {
            let this = Box::from_raw(x as *mut Self);
            ((*(*this.inner).vt).close)(this.inner);
        });
    }
    unsafe extern "C" fn read_timing(x: *const chm_exchange, out: *mut chm_exchange_timing) {
        let this = &*(x as *const Self);
        ((*this.timing).read)(this.inner, out);
        if (*out).readable_ns == 0 {
            (*out).readable_ns = this.resumed_ns; // no wake began this wait: it was inside the poll
        }
    }
}

struct Resume(Thread);
impl Wake for Resume {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
fn resume_this_thread() -> (Waker, Arc<AbiWaker>) {
    let waker = Waker::from(Arc::new(Resume(current())));
    (waker.clone(), AbiWaker::new(waker))
}

unsafe fn extension<T>(
    of: *mut T,
    get: unsafe extern "C" fn(*mut T, *const c_char) -> *const c_void,
    id: &str,
) -> *const c_void {
    let id = format!("{}\0", id);
    get(of, id.as_ptr().cast())
}
