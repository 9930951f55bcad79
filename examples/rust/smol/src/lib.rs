//! smol's executor as a plugin: what TR115 calls "smol", and the shortest example of the crate `chimera-plugin`.
//!
//! `workers` threads drive one `smol::Executor`; the caller of `run` is the first of them. The reactor is async-io's.
//! `await = "block"` holds the worker inside a poll until a foreign reactor answers; "wake" lets that reactor wake the task.

use async_io_reactor::AsyncIo;
use chimera_plugin::{abi::chm_option, enum_option, executor_plugin, int_option};
use chimera_plugin::{Error, Finished, Options, Runtime, Task};
use smol::{block_on, channel, Executor};
use std::thread;

struct Smol {
    executor: Executor<'static>,
    workers: usize,
    blocks: bool,
}

impl Runtime for Smol {
    type Reactor = AsyncIo;
    const OPTIONS: &'static [chm_option] = &[
        int_option!("workers", "1", 1, 64, "Threads that poll tasks"),
        enum_option!("await", "wake", "wake|block", "How a task waits for a foreign executor"),
    ];

    fn new(options: &Options) -> Result<Self, Error> {
        let workers = options.integer("workers")? as usize;
        let blocks = options.choice("await")? == "block";
        Ok(Self { executor: Executor::new(), workers, blocks })
    }
    fn reactor(&self) -> AsyncIo {
        AsyncIo
    }
    fn blocks(&self) -> bool {
        self.blocks
    }
    fn spawn(&self, task: Task) {
        self.executor.spawn(task).detach();
    }
    fn run(&self, end: Finished) -> Result<(), Error> {
        let (still_running, over) = channel::bounded::<()>(1);
        let (all_made, begin) = channel::bounded::<()>(self.workers); // a thread that has to wait polls nothing
        thread::scope(move |scope| {
            for i in 1..self.workers {
                let (begin, over) = (begin.clone(), over.clone());
                let work = move || {
                    if block_on(begin.recv()).is_ok() {
                        let _closed = block_on(self.executor.run(over.recv())); // it is over
                    }
                };
                thread::Builder::new().name(format!("smol-{}", i)).spawn_scoped(scope, work)?;
            }
            for _ in 1..self.workers {
                let _room = all_made.try_send(()); // there is
            }
            block_on(self.executor.run(end));
            drop((all_made, still_running)); // here, or with this closure where a thread cannot be made
            Ok(())
        })
    }
}

executor_plugin!("smol", "smol's executor on async-io", Smol);
