//! A spawned task as a future, and the life of an executor that all runtimes have in common.

use crate::abi::*;
use crate::waker::AbiWaker;
use std::collections::HashMap;
use std::future::Future;
use std::mem::take;
use std::pin::Pin;
use std::sync::atomic::{fence, AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

/// A task of the contract. Complete when the task is done, has failed, or was stopped; dropped then, on the thread that
/// polls it, or with the future.
pub struct Task {
    raw: *mut chm_task, // null: dropped
    id: u64,
    waker: Option<Arc<AbiWaker>>,
    life: Arc<Life>,
}

// A task may be polled by any thread, one at a time.
unsafe impl Send for Task {}

impl Future for Task {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if this.raw.is_null() || !this.attend(cx.waker()) {
            this.finish();
            return Poll::Ready(());
        }
        let waker = this.waker.as_ref().map_or(std::ptr::null_mut(), AbiWaker::as_abi);
        fence(Ordering::SeqCst); // see AbiWaker::wake
        if unsafe { ((*(*this.raw).vt).poll)(this.raw, waker) } == CHM_PENDING {
            return Poll::Pending;
        }
        this.finish();
        Poll::Ready(())
    }
}

impl Task {
    /// Makes `waker` the one that stop uses. False: the executor is stopped, and nothing more is polled.
    fn attend(&mut self, waker: &Waker) -> bool {
        if !self.waker.as_ref().map_or(false, |w| w.will_wake(waker)) {
            let new = AbiWaker::new(waker.clone());
            let earlier = self.life.lock().live.insert(self.id, Some(new.clone()));
            self.waker = Some(new);
            drop(earlier); // outside of the lock
        }
        // After the waker is there: a stop from now on wakes this task again.
        !self.life.stopped.load(Ordering::Acquire)
    }

    fn finish(&mut self) {
        let raw = std::mem::replace(&mut self.raw, std::ptr::null_mut());
        if !raw.is_null() {
            unsafe { ((*(*raw).vt).drop)(raw) };
            self.waker = None;
            self.life.leave(self.id); // last: whoever waits for the end may destroy what the task used
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Which tasks there are, and whether they may be polled. No lock is held while a task or a waker is called.
#[derive(Default)]
pub(crate) struct Life {
    stopped: AtomicBool, // written under the lock
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    phase: Phase,
    until_idle: bool,
    held: Vec<Task>, // spawned before run
    live: HashMap<u64, Option<Arc<AbiWaker>>>,
    next_id: u64,
    finished: Option<Waker>,
    blocked: Vec<Waker>, // threads that are held inside a poll
}

#[derive(Default, PartialEq)]
enum Phase {
    #[default]
    New,
    Running,
    Over,
}

impl Life {
    /// Takes `raw` on success only. `Some`: to be handed to the runtime; `None`: kept until run.
    pub fn spawn(self: &Arc<Self>, raw: *mut chm_task) -> Result<Option<Task>, chm_rc> {
        let mut state = self.lock();
        if self.stopped() || state.phase == Phase::Over {
            return Err(CHM_E_CANCELED);
        }
        let id = state.next_id;
        state.next_id += 1;
        state.live.insert(id, None);
        let task = Task { raw, id, waker: None, life: self.clone() };
        if state.phase == Phase::Running {
            return Ok(Some(task));
        }
        state.held.push(task);
        Ok(None)
    }

    /// The tasks spawned so far; those spawned from now on go to the runtime. `None`: run was called before.
    pub fn begin(&self, until_idle: bool) -> Option<Vec<Task>> {
        let mut state = self.lock();
        if state.phase != Phase::New {
            return None;
        }
        state.phase = Phase::Running;
        state.until_idle = until_idle;
        Some(take(&mut state.held))
    }

    /// Has every live task polled once more, which drops it.
    pub fn stop(&self) {
        let mut state = self.lock();
        self.stopped.store(true, Ordering::Release);
        let tasks: Vec<_> = state.live.values().flatten().cloned().collect();
        let others: Vec<_> = take(&mut state.blocked).into_iter().chain(state.finished.take()).collect();
        drop(state);
        tasks.iter().for_each(|w| w.wake());
        others.into_iter().for_each(Waker::wake);
    }

    /// After this nothing is live that the runtime does not have.
    pub fn drop_held(&self) {
        let held = take(&mut self.lock().held);
        drop(held);
    }

    pub fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Wakes `waker` at stop, once. False: it is stopped already.
    pub fn wake_at_stop(&self, waker: &Waker) -> bool {
        let mut state = self.lock();
        if self.stopped() {
            return false;
        }
        if !state.blocked.iter().any(|w| w.will_wake(waker)) {
            state.blocked.push(waker.clone());
        }
        true
    }

    fn leave(&self, id: u64) {
        let mut state = self.lock();
        let waker = state.live.remove(&id);
        let finished = if state.live.is_empty() { state.finished.take() } else { None };
        drop(state);
        drop(waker);
        if let Some(w) = finished {
            w.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Complete when `run` is to return: no task is left, and none is waited for.
pub struct Finished(pub(crate) Arc<Life>);

impl Future for Finished {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock();
        if state.live.is_empty() && (state.until_idle || self.0.stopped()) {
            state.phase = Phase::Over;
            return Poll::Ready(());
        }
        let earlier = state.finished.replace(cx.waker().clone());
        drop(state);
        drop(earlier);
        Poll::Pending
    }
}
