//! Executors for Chimera in Rust, on top of the C headers in `plugin_api/include/chimera/abi`.
//!
//! The contract's tasks and wakers are those of Rust's futures, so a runtime needs three things to become a plugin: a way to
//! spawn a future ([`Runtime::spawn`]), a way to wait for one ([`Runtime::run`]), and its reactor ([`Reactor`]). All that is
//! said of threads, ownership and stop in the headers is held here:
//!
//! | module | from | to |
//! |---|---|---|
//! | `abi` | the C headers | `repr(C)` structs with their sizes asserted |
//! | `task` | `chm_task`, spawn, run, stop | a future, and a future for the end of run |
//! | `waker` | `chm_waker` | [`std::task::Waker`], and back |
//! | `reactor` | `chm_reactor` | [`Io`], [`Timer`] |
//! | `bridge` | `chm_transport` on a foreign reactor | the same, blocking the worker |
//! | `options` | `chm_option`, `chm_config` | `int_option!`, `enum_option!`, [`Options`] |
//!
//! No panic crosses the line: each thunk catches and answers with an error. A complete plugin is in `../smol/src/lib.rs`.

pub mod abi;
mod bridge;
mod error;
mod executor;
mod options;
mod reactor;
mod task;
mod waker;

pub use error::Error;
pub use executor::{get_factory, Runtime};
pub use options::Options;
pub use reactor::{ended, Io, Reactor, Timer};
pub use task::{Finished, Task};
