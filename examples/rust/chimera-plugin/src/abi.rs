//! `chimera/abi/*.h` by hand: the same names and the same layout, which the assertions at the end hold. What each function
//! may do on which thread stands in the headers.
#![allow(non_camel_case_types, missing_docs)]

use std::os::raw::{c_char, c_void};

pub type chm_rc = i32;

pub const CHM_ABI_MAJOR: u32 = 1;
pub const CHM_ABI_MINOR: u32 = 0;

pub const CHM_OK: chm_rc = 0;
pub const CHM_PENDING: chm_rc = 0;
pub const CHM_READY: chm_rc = 1;
pub const CHM_E_FAIL: chm_rc = -1;
pub const CHM_E_NOMEM: chm_rc = -2;
pub const CHM_E_INVAL: chm_rc = -3;
pub const CHM_E_NOSYS: chm_rc = -4;
pub const CHM_E_CANCELED: chm_rc = -5;
pub const CHM_E_AFFINITY: chm_rc = -9;
pub const CHM_E_STATE: chm_rc = -15;

pub const CHM_OPT_INT: u32 = 2;
pub const CHM_OPT_ENUM: u32 = 5;
pub const CHM_RUN_UNTIL_IDLE: u32 = 0;
pub const CHM_RUN_UNTIL_STOP: u32 = 1;
pub const CHM_EXECUTOR_PINNED: u32 = 1;
pub const CHM_IO_READ: u32 = 1;
pub const CHM_IO_WRITE: u32 = 2;
pub const CHM_IO_ERR: u32 = 4;
pub const CHM_IO_HUP: u32 = 8;
pub const CHM_IO_RECHECK: u32 = 1;
pub const CHM_REACTOR_ANY_THREAD: u32 = 1;

pub const CHM_FACTORY_EXECUTOR: &str = "chimera.executor.factory/1";
pub const CHM_EXT_REACTOR: &str = "chimera.reactor/1";
pub const CHM_EXT_BRIDGE: &str = "chimera.bridge/1";
pub const CHM_EXT_TIMING: &str = "chimera.transport.timing/1";

#[repr(C)]
#[derive(Clone, Copy)]
pub struct chm_str {
    pub ptr: *const c_char,
    pub len: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct chm_kv {
    pub key: chm_str,
    pub value: chm_str,
}

#[repr(C)]
pub struct chm_config {
    pub kv: *const chm_kv,
    pub n: usize,
}

#[repr(C)]
pub struct chm_error {
    pub text: *mut c_char,
    pub cap: usize,
}

#[repr(C)]
pub struct chm_option {
    pub size: u32,
    pub kind: u32,
    pub name: *const c_char,
    pub help: *const c_char,
    pub default_value: *const c_char,
    pub choices: *const c_char,
    pub min: f64,
    pub max: f64,
}

#[repr(C)]
pub struct chm_host {
    pub size: u32,
    pub log: unsafe extern "C" fn(*const chm_host, i32, chm_str),
    pub get_extension: unsafe extern "C" fn(*const chm_host, *const c_char) -> *const c_void,
}

#[repr(C)]
pub struct chm_plugin_entry {
    pub size: u32,
    pub abi_major: u32,
    pub abi_minor: u32,
    pub flags: u32,
    pub id: *const c_char,
    pub version: *const c_char,
    pub description: *const c_char,
    pub init: Option<unsafe extern "C" fn(*const chm_host, *mut chm_error) -> chm_rc>,
    pub deinit: Option<unsafe extern "C" fn()>,
    pub get_factory: unsafe extern "C" fn(*const c_char) -> *const c_void,
}

#[repr(C)]
pub struct chm_waker {
    pub vt: *const chm_waker_vt,
}

#[repr(C)]
pub struct chm_waker_vt {
    pub clone: unsafe extern "C" fn(*mut chm_waker) -> *mut chm_waker,
    pub wake: unsafe extern "C" fn(*mut chm_waker),
    pub wake_by_ref: unsafe extern "C" fn(*mut chm_waker),
    pub drop: unsafe extern "C" fn(*mut chm_waker),
}

#[repr(C)]
pub struct chm_task {
    pub vt: *const chm_task_vt,
}

#[repr(C)]
pub struct chm_task_vt {
    pub poll: unsafe extern "C" fn(*mut chm_task, *mut chm_waker) -> chm_rc,
    pub drop: unsafe extern "C" fn(*mut chm_task),
}

#[repr(C)]
pub struct chm_executor {
    pub vt: *const chm_executor_vt,
}

/// Hints and names are optional: nothing here reads them.
#[repr(C)]
pub struct chm_spawn_opts {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct chm_executor_vt {
    pub size: u32,
    pub flags: u32,
    pub spawn: unsafe extern "C" fn(*mut chm_executor, *mut chm_task, *const chm_spawn_opts) -> chm_rc,
    pub run: unsafe extern "C" fn(*mut chm_executor, u32, *mut chm_error) -> chm_rc,
    pub stop: unsafe extern "C" fn(*mut chm_executor),
    pub destroy: unsafe extern "C" fn(*mut chm_executor),
    pub get_extension: unsafe extern "C" fn(*mut chm_executor, *const c_char) -> *const c_void,
}

#[repr(C)]
pub struct chm_executor_factory {
    pub size: u32,
    pub n_options: u32,
    pub options: *const chm_option,
    pub create:
        unsafe extern "C" fn(*const chm_host, *const chm_config, *mut *mut chm_executor, *mut chm_error) -> chm_rc,
}

#[repr(C)]
pub struct chm_reactor {
    pub vt: *const chm_reactor_vt,
}

#[repr(C)]
pub struct chm_io {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct chm_timer {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct chm_reactor_vt {
    pub size: u32,
    pub flags: u32,
    pub io_register: unsafe extern "C" fn(*mut chm_reactor, i32, *mut *mut chm_io) -> chm_rc,
    pub io_poll: unsafe extern "C" fn(*mut chm_reactor, *mut chm_io, u32, *mut chm_waker) -> u32,
    pub io_clear: unsafe extern "C" fn(*mut chm_reactor, *mut chm_io, u32, u32, u32),
    pub io_deregister: unsafe extern "C" fn(*mut chm_reactor, *mut chm_io),
    pub timer_create: unsafe extern "C" fn(*mut chm_reactor, *mut *mut chm_timer) -> chm_rc,
    pub timer_poll: unsafe extern "C" fn(*mut chm_reactor, *mut chm_timer, u64, *mut chm_waker) -> chm_rc,
    pub timer_destroy: unsafe extern "C" fn(*mut chm_reactor, *mut chm_timer),
    pub get_extension: unsafe extern "C" fn(*mut chm_reactor, *const c_char) -> *const c_void,
}

#[repr(C)]
pub struct chm_transport {
    pub vt: *const chm_transport_vt,
}

#[repr(C)]
pub struct chm_session {
    pub vt: *const chm_session_vt,
}

#[repr(C)]
pub struct chm_exchange {
    pub vt: *const chm_exchange_vt,
}

/// Passed through unread.
#[repr(C)]
pub struct chm_request {
    _opaque: [u8; 0],
}

/// Passed through unread.
#[repr(C)]
pub struct chm_head {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct chm_session_args {
    pub size: u32,
    pub reserved: u32,
    pub executor: *mut chm_executor,
    pub reactor: *mut chm_reactor,
    pub base_url: chm_str,
}

#[repr(C)]
pub struct chm_exchange_vt {
    pub size: u32,
    pub flags: u32,
    pub poll_head: unsafe extern "C" fn(*mut chm_exchange, *mut chm_waker, *mut chm_head, *mut chm_error) -> chm_rc,
    pub poll_chunk: unsafe extern "C" fn(*mut chm_exchange, *mut chm_waker, *mut chm_str, *mut chm_error) -> chm_rc,
    pub close: unsafe extern "C" fn(*mut chm_exchange),
}

#[repr(C)]
pub struct chm_session_vt {
    pub size: u32,
    pub flags: u32,
    pub start:
        unsafe extern "C" fn(*mut chm_session, *const chm_request, *mut *mut chm_exchange, *mut chm_error) -> chm_rc,
    pub close: unsafe extern "C" fn(*mut chm_session),
}

#[repr(C)]
pub struct chm_transport_vt {
    pub size: u32,
    pub flags: u32,
    pub open: unsafe extern "C" fn(
        *mut chm_transport,
        *const chm_session_args,
        *mut *mut chm_session,
        *mut chm_error,
    ) -> chm_rc,
    pub destroy: unsafe extern "C" fn(*mut chm_transport),
    pub get_extension: unsafe extern "C" fn(*mut chm_transport, *const c_char) -> *const c_void,
}

#[repr(C)]
pub struct chm_exchange_timing {
    pub size: u32,
    pub retries: u32,
    pub reused: u32,
    pub reserved: u32,
    pub connected_ns: u64,
    pub sent_ns: u64,
    pub first_byte_ns: u64,
    pub readable_ns: u64,
}

#[repr(C)]
pub struct chm_timing_ext {
    pub size: u32,
    pub flags: u32,
    pub read: unsafe extern "C" fn(*const chm_exchange, *mut chm_exchange_timing),
}

#[repr(C)]
pub struct chm_bridge_ext {
    pub size: u32,
    pub flags: u32,
    pub wrap: unsafe extern "C" fn(
        *mut chm_executor,
        *mut chm_executor,
        *mut chm_transport,
        *mut *mut chm_transport,
        *mut chm_error,
    ) -> chm_rc,
}

// Tables and descriptions are static and never written.
unsafe impl Sync for chm_option {}
unsafe impl Sync for chm_plugin_entry {}

/// A C struct's `size` member.
pub const fn size<T>() -> u32 {
    std::mem::size_of::<T>() as u32
}

macro_rules! sizes {
    ($($name:ident = $size:literal),* $(,)?) => {
        $(const _: () = assert!(std::mem::size_of::<$name>() == $size);)*
    };
}
// As plugin_api/tests/layout/layout.h has them.
sizes! {
    chm_str = 16, chm_kv = 32, chm_config = 16, chm_error = 16, chm_option = 56, chm_host = 24, chm_plugin_entry = 64,
    chm_waker = 8, chm_waker_vt = 32, chm_task = 8, chm_task_vt = 16,
    chm_executor = 8, chm_executor_vt = 48, chm_executor_factory = 24,
    chm_reactor = 8, chm_reactor_vt = 72,
    chm_session_args = 40, chm_exchange_vt = 32, chm_session_vt = 24, chm_transport_vt = 32,
    chm_exchange_timing = 48, chm_timing_ext = 16, chm_bridge_ext = 16,
}
