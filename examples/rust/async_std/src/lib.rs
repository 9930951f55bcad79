//! async-std as a plugin: the real runtime that TR115 found at 50 %.
//!
//! async-std has one set of threads for the process, made when it is first used and never ended, so `workers` cannot differ
//! between executors of one process. The reactor is async-io's. With `[foreign] plugin = "tokio"` the I/O happens on tokio's
//! reactor, as reqwest's did for the reports: `await = "wake"` is the bridge that awaits, `await = "block"` the one that calls
//! `block_on` inside a task, which with one worker holds up every other agent.

use async_global_executor::{init_with_config, GlobalExecutorConfig};
use async_io_reactor::AsyncIo;
use chimera_plugin::abi::{chm_option, CHM_E_STATE};
use chimera_plugin::{enum_option, executor_plugin, int_option, Error, Finished, Options, Runtime, Task};
use std::sync::Mutex;

struct AsyncStd {
    blocks: bool,
}

/// Starts async-std's threads, or finds as many already running.
fn start(workers: usize) -> Result<(), Error> {
    static STARTED: Mutex<Option<usize>> = Mutex::new(None);
    let mut started = STARTED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let running = *started.get_or_insert_with(|| {
        let config = GlobalExecutorConfig::default().with_min_threads(workers).with_max_threads(workers);
        init_with_config(config.with_thread_name_fn(|| "async-std".to_string())); // before async-std does it for itself
        workers
    });
    if running == workers {
        return Ok(());
    }
    let why = "async-std has one set of threads for the process";
    Err(Error::new(CHM_E_STATE, format!("option 'workers': {} are running, and {}", running, why)))
}

impl Runtime for AsyncStd {
    type Reactor = AsyncIo;
    const OPTIONS: &'static [chm_option] = &[
        int_option!("workers", "1", 1, 64, "Threads that poll tasks, the same for all executors of a process"),
        enum_option!("await", "wake", "wake|block", "How a task waits for a foreign executor"),
    ];

    fn new(options: &Options) -> Result<Self, Error> {
        let workers = options.integer("workers")? as usize;
        let blocks = options.choice("await")? == "block";
        start(workers)?;
        Ok(Self { blocks })
    }
    fn reactor(&self) -> AsyncIo {
        AsyncIo
    }
    fn blocks(&self) -> bool {
        self.blocks
    }
    fn spawn(&self, task: Task) {
        drop(async_std::task::spawn(task)); // detached
    }
    fn run(&self, end: Finished) -> Result<(), Error> {
        async_std::task::block_on(end);
        Ok(())
    }
}

executor_plugin!("async_std", "async-std's threads on async-io", AsyncStd);
