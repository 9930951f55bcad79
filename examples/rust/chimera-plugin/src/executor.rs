//! `chm_executor` on top of a runtime, and the factory that makes one.

use crate::abi::*;
use crate::bridge;
use crate::error::{contained, guarded, Error};
use crate::options::Options;
use crate::reactor::{AbiReactor, Reactor};
use crate::task::{Finished, Life, Task};
use std::ffi::CStr;
use std::os::raw::{c_char, c_void};
use std::ptr;
use std::sync::Arc;

/// What a plugin implements. Everything else of the contract (nothing polled before run, stop, drop once, idle) is held by
/// this crate, which needs of a runtime only that it polls futures and wakes them.
pub trait Runtime: Sized + Send + Sync + 'static {
    type Reactor: Reactor;
    const OPTIONS: &'static [chm_option];

    /// [any thread]
    fn new(options: &Options) -> Result<Self, Error>;
    /// [once, after new] Works, also from other threads, as long as `self` lives.
    fn reactor(&self) -> Self::Reactor;
    /// True when the thread that calls `run` polls every task.
    fn pinned(&self) -> bool {
        false
    }
    /// True when its tasks wait for a foreign runtime inside their poll, holding the worker: `bridge`.
    fn blocks(&self) -> bool {
        false
    }
    /// [any thread, during run] Polls the task until it is complete, beginning soon, and never inside this call.
    fn spawn(&self, task: Task);
    /// [one thread, once] Returns when `end` is complete. All tasks are, by then.
    fn run(&self, end: Finished) -> Result<(), Error>;
}

#[repr(C)]
pub(crate) struct Executor<R: Runtime> {
    head: chm_executor, // first: a chm_executor * is an Executor *
    reactor: AbiReactor<R::Reactor>,
    blocks: bool,
    life: Arc<Life>,
    runtime: R,
}

impl<R: Runtime> Executor<R> {
    const fn table(flags: u32) -> chm_executor_vt {
        chm_executor_vt {
            size: size::<chm_executor_vt>(),
            flags,
            spawn: Self::spawn,
            run: Self::run,
            stop: Self::stop,
            destroy: Self::destroy,
            get_extension: Self::get_extension,
        }
    }
    const FREE: chm_executor_vt = Self::table(0);
    const PINNED: chm_executor_vt = Self::table(CHM_EXECUTOR_PINNED);

    unsafe fn of<'a>(e: *mut chm_executor) -> &'a Self {
        &*(e as *const Self)
    }
    /// What stops the executor `e`, which is one of this plugin's.
    pub unsafe fn life_of(e: *mut chm_executor) -> Arc<Life> {
        Self::of(e).life.clone()
    }

    unsafe extern "C" fn spawn(e: *mut chm_executor, task: *mut chm_task, _: *const chm_spawn_opts) -> chm_rc {
        if task.is_null() {
            return CHM_E_INVAL;
        }
        let this = Self::of(e);
        match contained(Err(CHM_E_FAIL), || this.life.spawn(task)) {
            Ok(ready) => {
                // The task is taken: where this panics, it was dropped.
                contained((), || ready.into_iter().for_each(|t| this.runtime.spawn(t)));
                CHM_OK
            }
            Err(code) => code,
        }
    }

    unsafe extern "C" fn run(e: *mut chm_executor, mode: u32, err: *mut chm_error) -> chm_rc {
        guarded(err, || {
            let this = Self::of(e);
            if mode != CHM_RUN_UNTIL_IDLE && mode != CHM_RUN_UNTIL_STOP {
                return Err(Error::new(CHM_E_INVAL, "unknown run mode"));
            }
            let held = this
                .life
                .begin(mode == CHM_RUN_UNTIL_IDLE)
                .ok_or_else(|| Error::new(CHM_E_STATE, "run was called before"))?;
            held.into_iter().for_each(|task| this.runtime.spawn(task));
            this.runtime.run(Finished(this.life.clone()))?;
            Ok(if this.life.stopped() { CHM_E_CANCELED } else { CHM_OK })
        })
    }

    unsafe extern "C" fn stop(e: *mut chm_executor) {
        contained((), || Self::of(e).life.stop());
    }

    unsafe extern "C" fn destroy(e: *mut chm_executor) {
        contained((), || {
            let this = Box::from_raw(e as *mut Self);
            this.life.stop(); // a task that is dropped here cannot spawn another
            this.life.drop_held();
        });
    }

    unsafe extern "C" fn get_extension(e: *mut chm_executor, id: *const c_char) -> *const c_void {
        let this = Self::of(e);
        if is(id, CHM_EXT_REACTOR) {
            return this.reactor.as_abi();
        }
        if is(id, CHM_EXT_BRIDGE) && this.blocks {
            return (&bridge::Bridge::<R>::EXTENSION as *const chm_bridge_ext).cast();
        }
        ptr::null()
    }

    unsafe extern "C" fn create(
        _: *const chm_host,
        config: *const chm_config,
        out: *mut *mut chm_executor,
        err: *mut chm_error,
    ) -> chm_rc {
        guarded(err, || {
            let runtime = R::new(&Options::new(config, R::OPTIONS)?)?;
            let head = chm_executor { vt: if runtime.pinned() { &Self::PINNED } else { &Self::FREE } };
            let reactor = AbiReactor::new(runtime.reactor());
            let blocks = runtime.blocks();
            *out = Box::into_raw(Box::new(Self { head, reactor, blocks, life: Arc::default(), runtime })).cast();
            Ok(CHM_OK)
        })
    }

    pub const FACTORY: chm_executor_factory = chm_executor_factory {
        size: size::<chm_executor_factory>(),
        n_options: R::OPTIONS.len() as u32,
        options: R::OPTIONS.as_ptr(),
        create: Self::create,
    };
}

/// `get_factory` of a plugin whose only factory is the executors' of `R`.
///
/// # Safety
/// `id` is null or NUL-terminated.
pub unsafe extern "C" fn get_factory<R: Runtime>(id: *const c_char) -> *const c_void {
    if is(id, CHM_FACTORY_EXECUTOR) {
        return (&Executor::<R>::FACTORY as *const chm_executor_factory).cast();
    }
    ptr::null()
}

pub(crate) unsafe fn is(id: *const c_char, name: &str) -> bool {
    !id.is_null() && CStr::from_ptr(id).to_bytes() == name.as_bytes()
}

/// Defines the exported entry of a plugin: `executor_plugin!("my_runtime", "what it is", MyRuntime);`
#[macro_export]
macro_rules! executor_plugin {
    ($id:literal, $description:literal, $runtime:ty) => {
        /// The one symbol of a plugin.
        #[no_mangle]
        #[allow(non_upper_case_globals)]
        pub static chimera_plugin_entry: $crate::abi::chm_plugin_entry = $crate::abi::chm_plugin_entry {
            size: $crate::abi::size::<$crate::abi::chm_plugin_entry>(),
            abi_major: $crate::abi::CHM_ABI_MAJOR,
            abi_minor: $crate::abi::CHM_ABI_MINOR,
            flags: 0,
            id: concat!($id, "\0").as_ptr().cast(),
            version: concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast(),
            description: concat!($description, "\0").as_ptr().cast(),
            init: None,
            deinit: None,
            get_factory: $crate::get_factory::<$runtime>,
        };
    };
}
