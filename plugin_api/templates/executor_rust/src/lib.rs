//! my_executor: one thread that polls runnable tasks in the order in which they were woken.
//!
//! The contract's tasks and wakers are those of Rust's futures, so a [`Task`] is a future to be polled until it is complete.
//! What the contract says of threads, ownership, stop and the end is held by the crate `chimera-plugin`. What is left here is
//! what makes one executor differ from another: where a runnable task waits, and who polls it when.

use async_channel::{unbounded, Receiver, Sender};
use async_io_reactor::AsyncIo;
use async_task::Runnable;
use chimera_plugin::{abi::chm_option, executor_plugin, int_option};
use chimera_plugin::{Error, Finished, Options, Runtime, Task};
use futures_lite::future::{or, yield_now};

struct OneQueue {
    woken: Sender<Runnable>,
    queue: Receiver<Runnable>,
    event_interval: i64,
}

impl Runtime for OneQueue {
    /// async-io's: a transport's sockets and timers wait there, on this thread or on async-io's own.
    type Reactor = AsyncIo;

    /// What a profile may say in [executor] options. The host checks it, lists it, and hands every value over.
    const OPTIONS: &'static [chm_option] =
        &[int_option!("event_interval", "61", 1, 10_000, "polls between two looks at I/O while tasks are runnable")];

    fn new(options: &Options) -> Result<Self, Error> {
        let (woken, queue) = unbounded();
        Ok(Self { woken, queue, event_interval: options.integer("event_interval")? })
    }
    fn reactor(&self) -> AsyncIo {
        AsyncIo
    }
    /// Each task is always polled by the same thread.
    fn pinned(&self) -> bool {
        true
    }

    /// [any thread] A wake, whoever gives it, puts the task behind the others. `schedule` is the first.
    fn spawn(&self, task: Task) {
        let woken = self.woken.clone();
        let wake = move |runnable| drop(woken.try_send(runnable)); // never full; closed only when nobody polls any more
        let (runnable, handle) = async_task::spawn(task, wake);
        runnable.schedule();
        handle.detach();
    }

    /// [one thread, once] `end` is complete when no task is left, or all were dropped after a stop.
    fn run(&self, end: Finished) -> Result<(), Error> {
        let polls = async {
            loop {
                for _ in 0..self.event_interval {
                    if let Ok(runnable) = self.queue.recv().await {
                        runnable.run();
                    }
                }
                yield_now().await; // lets the reactor turn, and `end` be seen, beside tasks that are always runnable
            }
        };
        async_io::block_on(or(end, polls));
        Ok(())
    }
}

executor_plugin!("my_executor", "one thread, one queue, async-io", OneQueue);
