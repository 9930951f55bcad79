//! my_executor: one thread that polls runnable tasks in the order in which they were woken.
//!
//! A [`Task`] is a future, to be polled until it is complete; its wakers are Rust's. The crate `chimera-plugin` implements the
//! contract's rules about threads, ownership, stop and the end. This file is the part that makes one executor differ from
//! another: where a runnable task waits, and who polls it when.

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
    /// The sockets and timers of a transport wait in async-io's reactor, on this thread or on async-io's own.
    type Reactor = AsyncIo;

    /// The options of [executor] in a profile. The host checks them, lists them, and passes every value.
    const OPTIONS: &'static [chm_option] =
        &[int_option!("event_interval", "61", 1, 10_000, "polls between two looks at I/O while tasks are runnable")];

    fn new(options: &Options) -> Result<Self, Error> {
        let (woken, queue) = unbounded();
        Ok(Self { woken, queue, event_interval: options.integer("event_interval")? })
    }
    fn reactor(&self) -> AsyncIo {
        AsyncIo
    }
    /// The same thread always polls the same task.
    fn pinned(&self) -> bool {
        true
    }

    /// [any-thread] Every wake puts the task behind the others. `schedule` is the first wake.
    fn spawn(&self, task: Task) {
        let woken = self.woken.clone();
        let wake = move |runnable| drop(woken.try_send(runnable)); // never full; closed only when no task is polled any more
        let (runnable, handle) = async_task::spawn(task, wake);
        runnable.schedule();
        handle.detach();
    }

    /// [run-thread & once] `end` is complete when no task is left, or when all were dropped after a stop.
    fn run(&self, end: Finished) -> Result<(), Error> {
        let polls = async {
            loop {
                for _ in 0..self.event_interval {
                    if let Ok(runnable) = self.queue.recv().await {
                        runnable.run();
                    }
                }
                yield_now().await; // tasks that are always runnable must not starve the reactor and `end`
            }
        };
        async_io::block_on(or(end, polls));
        Ok(())
    }
}

executor_plugin!("my_executor", "one thread, one queue, async-io", OneQueue);
