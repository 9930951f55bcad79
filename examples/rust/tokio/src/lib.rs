//! tokio as a plugin: what TR115 calls "tokio-default" (`flavor = "multi_thread"`) and "tokio-localset"
//! (`flavor = "current_thread"`: a `LocalSet`, whose tasks never leave the thread that calls `run`).
//!
//! The reactor is tokio's own, on `AsyncFd` and `Sleep`. It may be used from any thread, so a profile may name this plugin in
//! `[foreign]`: smol or async-std on tokio's reactor.

mod reactor;

use chimera_plugin::{abi::chm_option, enum_option, executor_plugin, int_option};
use chimera_plugin::{Error, Finished, Options, Runtime, Task};
use reactor::TokioReactor;
use std::sync::Mutex;
use tokio::runtime::{Builder, Runtime as Threads};
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};
use tokio::task::{spawn_local, LocalSet};

struct Tokio {
    threads: Threads,
    local: Option<Local>,
}

/// `current_thread`: how tasks reach the LocalSet, which lives on the thread that runs it.
struct Local {
    inbox: UnboundedSender<Task>,
    arriving: Mutex<Option<UnboundedReceiver<Task>>>, // until run
}

impl Runtime for Tokio {
    type Reactor = TokioReactor;
    const OPTIONS: &'static [chm_option] = &[
        enum_option!("flavor", "multi_thread", "multi_thread|current_thread", "Which of tokio's schedulers"),
        int_option!("workers", "2", 1, 64, "Threads that poll tasks, for multi_thread"),
    ];

    fn new(options: &Options) -> Result<Self, Error> {
        let workers = options.integer("workers")? as usize;
        let (mut builder, local) = match options.choice("flavor")? {
            "current_thread" => {
                let (inbox, arriving) = unbounded_channel();
                (Builder::new_current_thread(), Some(Local { inbox, arriving: Mutex::new(Some(arriving)) }))
            }
            _ => (Builder::new_multi_thread(), None),
        };
        let threads = builder.worker_threads(workers).thread_name("tokio").enable_all().build()?;
        Ok(Self { threads, local })
    }
    fn reactor(&self) -> TokioReactor {
        TokioReactor::new(self.threads.handle().clone())
    }
    fn pinned(&self) -> bool {
        self.local.is_some()
    }
    fn spawn(&self, task: Task) {
        match &self.local {
            Some(local) => drop(local.inbox.send(task)),
            None => drop(self.threads.spawn(task)), // detached
        }
    }
    fn run(&self, end: Finished) -> Result<(), Error> {
        let arriving = self.local.as_ref().and_then(|local| local.arriving.lock().ok()?.take());
        match arriving {
            Some(mut arriving) => {
                let set = LocalSet::new();
                set.spawn_local(async move {
                    while let Some(task) = arriving.recv().await {
                        spawn_local(task);
                    }
                });
                self.threads.block_on(set.run_until(end));
            }
            None => self.threads.block_on(end),
        }
        Ok(())
    }
}

executor_plugin!("tokio", "tokio's scheduler and reactor", Tokio);
