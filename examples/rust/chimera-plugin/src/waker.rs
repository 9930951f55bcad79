//! Wakers in both directions, and the slot in which a waker waits for an event.

use crate::abi::*;
use crate::error::contained;
use std::sync::atomic::{fence, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{RawWaker, RawWakerVTable, Wake, Waker};

/// A waker of the contract as one of Rust's: a clone of `borrowed`, which stays the caller's.
///
/// # Safety
/// `borrowed` is valid for the call.
pub unsafe fn from_abi(borrowed: *mut chm_waker) -> Waker {
    Waker::from_raw(raw(clone_abi(borrowed)))
}

unsafe fn clone_abi(w: *mut chm_waker) -> *mut chm_waker {
    ((*(*w).vt).clone)(w)
}

fn raw(owned: *mut chm_waker) -> RawWaker {
    static TABLE: RawWakerVTable = RawWakerVTable::new(
        |w| unsafe { raw(clone_abi(w as *mut chm_waker)) },
        |w| unsafe { ((*(*(w as *mut chm_waker)).vt).wake)(w as *mut chm_waker) },
        |w| unsafe { ((*(*(w as *mut chm_waker)).vt).wake_by_ref)(w as *mut chm_waker) },
        |w| unsafe { ((*(*(w as *mut chm_waker)).vt).drop)(w as *mut chm_waker) },
    );
    RawWaker::new(owned as *const (), &TABLE)
}

/// One of Rust's wakers as one of the contract's. A clone is one increment, and the address is the identity.
#[repr(C)]
pub struct AbiWaker {
    head: chm_waker, // first: a chm_waker * is an AbiWaker *
    inner: Waker,
}

// `head` points to a static table.
unsafe impl Send for AbiWaker {}
unsafe impl Sync for AbiWaker {}

impl AbiWaker {
    pub fn new(inner: Waker) -> Arc<Self> {
        Arc::new(Self { head: chm_waker { vt: &Self::TABLE }, inner })
    }

    /// Borrowed: valid as long as `self` is.
    pub fn as_abi(self: &Arc<Self>) -> *mut chm_waker {
        Arc::as_ptr(self) as *mut chm_waker
    }

    /// True when both wake the same task.
    pub fn will_wake(&self, other: &Waker) -> bool {
        self.inner.will_wake(other)
    }

    /// The contract: what was written before a wake is seen by the poll after it, also where the task was already woken.
    /// Rationale: tokio's wake only loads the state in that case, and a load may overtake the writes before it. This fence,
    /// with the one that begins a poll (see `Task::poll`), puts them in order.
    pub fn wake(&self) {
        fence(Ordering::SeqCst);
        self.inner.wake_by_ref();
    }

    const TABLE: chm_waker_vt = chm_waker_vt {
        clone: Self::clone_thunk,
        wake: Self::wake_thunk,
        wake_by_ref: Self::wake_by_ref_thunk,
        drop: Self::drop_thunk,
    };
    unsafe extern "C" fn clone_thunk(w: *mut chm_waker) -> *mut chm_waker {
        Arc::increment_strong_count(w as *const Self);
        w
    }
    unsafe extern "C" fn wake_thunk(w: *mut chm_waker) {
        contained((), || Arc::from_raw(w as *const Self).wake());
    }
    unsafe extern "C" fn wake_by_ref_thunk(w: *mut chm_waker) {
        contained((), || (*(w as *const Self)).wake());
    }
    unsafe extern "C" fn drop_thunk(w: *mut chm_waker) {
        contained((), || drop(Arc::from_raw(w as *const Self)));
    }
}

/// Where one waiter leaves its waker until an event takes it. As a waker itself it is what a runtime keeps, so that wakers
/// of the contract are replaced, dropped and woken at the moments that the contract names, whatever the runtime does.
#[derive(Default)]
pub(crate) struct Slot(Mutex<Option<Waker>>);

impl Slot {
    /// An earlier waker is dropped, not woken.
    pub fn set(&self, waker: Waker) {
        let earlier = self.lock().replace(waker);
        drop(earlier); // outside of the lock, as whatever may end with a waker
    }
    pub fn take(&self) -> Option<Waker> {
        self.lock().take()
    }
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Waker>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Wake for Slot {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        let waiter = self.take();
        if let Some(w) = waiter {
            w.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[derive(Default)]
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_waker_survives_the_way_there_and_back() {
        let count = Arc::new(Count::default());
        let there = AbiWaker::new(count.clone().into());
        let back = unsafe { from_abi(there.as_abi()) };
        back.wake_by_ref();
        back.clone().wake();
        drop(back);
        assert_eq!(count.0.load(Ordering::SeqCst), 2);
        drop(there);
        assert_eq!(Arc::strong_count(&count), 1);
    }

    #[test]
    fn a_replaced_waker_is_dropped_and_not_woken() {
        let (first, second) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let slot = Arc::new(Slot::default());
        slot.set(first.clone().into());
        slot.set(second.clone().into());
        assert_eq!(Arc::strong_count(&first), 1);
        slot.wake_by_ref();
        slot.wake_by_ref();
        assert_eq!((first.0.load(Ordering::SeqCst), second.0.load(Ordering::SeqCst)), (0, 1));
    }
}
