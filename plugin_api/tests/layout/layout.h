/* The sizes and offsets of every struct of the contract on LP64: what a compiled plugin relies on. C and C++. */
#include "chimera/abi.h"

#ifdef __cplusplus
#define LAYOUT(condition) static_assert(condition, #condition)
#else
/* A negative array size is C99's static assertion. */
#define LAYOUT_NAME2(line) layout_of_line_##line
#define LAYOUT_NAME(line) LAYOUT_NAME2(line)
#define LAYOUT(condition) extern int LAYOUT_NAME(__LINE__)[(condition) ? 1 : -1]
#endif
#define AT(type, member, offset) LAYOUT(offsetof(type, member) == (offset))
#define SIZE(type, size) LAYOUT(sizeof(type) == (size))

SIZE(void *, 8);
SIZE(chm_rc, 4);
LAYOUT(CHM_E_STATE == -15);
LAYOUT(CHM_READY == 1);
LAYOUT(CHM_END == 2);

SIZE(chm_str, 16);
AT(chm_str, len, 8);
SIZE(chm_kv, 32);
AT(chm_kv, value, 16);
SIZE(chm_config, 16);
AT(chm_config, n, 8);
SIZE(chm_error, 16);
AT(chm_error, cap, 8);

SIZE(chm_option, 56);
AT(chm_option, type, 4);
AT(chm_option, name, 8);
AT(chm_option, help, 16);
AT(chm_option, default_value, 24);
AT(chm_option, choices, 32);
AT(chm_option, min, 40);
AT(chm_option, max, 48);

SIZE(chm_waker_vt, 32);
AT(chm_waker_vt, wake, 8);
AT(chm_waker_vt, wake_by_ref, 16);
AT(chm_waker_vt, drop, 24);
SIZE(chm_waker, 8);
SIZE(chm_task_vt, 16);
AT(chm_task_vt, drop, 8);
SIZE(chm_task, 8);

SIZE(chm_host, 24);
AT(chm_host, log, 8);
AT(chm_host, get_extension, 16);
SIZE(chm_plugin_entry, 64);
AT(chm_plugin_entry, abi_major, 4);
AT(chm_plugin_entry, abi_minor, 8);
AT(chm_plugin_entry, flags, 12);
AT(chm_plugin_entry, id, 16);
AT(chm_plugin_entry, version, 24);
AT(chm_plugin_entry, description, 32);
AT(chm_plugin_entry, init, 40);
AT(chm_plugin_entry, deinit, 48);
AT(chm_plugin_entry, get_factory, 56);

SIZE(chm_spawn_opts, 32);
AT(chm_spawn_opts, hint, 4);
AT(chm_spawn_opts, worker, 8);
AT(chm_spawn_opts, name, 16);
SIZE(chm_executor_vt, 48);
AT(chm_executor_vt, flags, 4);
AT(chm_executor_vt, spawn, 8);
AT(chm_executor_vt, run, 16);
AT(chm_executor_vt, stop, 24);
AT(chm_executor_vt, destroy, 32);
AT(chm_executor_vt, get_extension, 40);
SIZE(chm_executor, 8);
SIZE(chm_executor_factory, 24);
AT(chm_executor_factory, n_options, 4);
AT(chm_executor_factory, options, 8);
AT(chm_executor_factory, create, 16);

SIZE(chm_reactor_vt, 72);
AT(chm_reactor_vt, io_register, 8);
AT(chm_reactor_vt, io_poll, 16);
AT(chm_reactor_vt, io_clear, 24);
AT(chm_reactor_vt, io_deregister, 32);
AT(chm_reactor_vt, timer_create, 40);
AT(chm_reactor_vt, timer_poll, 48);
AT(chm_reactor_vt, timer_destroy, 56);
AT(chm_reactor_vt, get_extension, 64);
SIZE(chm_reactor, 8);
SIZE(chm_recv_ops, 32);
AT(chm_recv_ops, start, 8);
AT(chm_recv_ops, poll, 16);
AT(chm_recv_ops, close, 24);

SIZE(chm_session_args, 40);
AT(chm_session_args, executor, 8);
AT(chm_session_args, reactor, 16);
AT(chm_session_args, base_url, 24);
SIZE(chm_request, 64);
AT(chm_request, n_headers, 4);
AT(chm_request, method, 8);
AT(chm_request, path, 24);
AT(chm_request, headers, 40);
AT(chm_request, body, 48);
SIZE(chm_head, 24);
AT(chm_head, status, 4);
AT(chm_head, headers, 8);
AT(chm_head, n_headers, 16);
SIZE(chm_exchange_vt, 32);
AT(chm_exchange_vt, poll_head, 8);
AT(chm_exchange_vt, poll_chunk, 16);
AT(chm_exchange_vt, close, 24);
SIZE(chm_session_vt, 24);
AT(chm_session_vt, start, 8);
AT(chm_session_vt, close, 16);
SIZE(chm_transport_vt, 32);
AT(chm_transport_vt, open, 8);
AT(chm_transport_vt, destroy, 16);
AT(chm_transport_vt, get_extension, 24);
SIZE(chm_transport_factory, 24);
AT(chm_transport_factory, create, 16);

SIZE(chm_exchange_timing, 48);
AT(chm_exchange_timing, retries, 4);
AT(chm_exchange_timing, reused, 8);
AT(chm_exchange_timing, connected_ns, 16);
AT(chm_exchange_timing, sent_ns, 24);
AT(chm_exchange_timing, first_byte_ns, 32);
AT(chm_exchange_timing, readable_ns, 40);
SIZE(chm_timing_ext, 16);
AT(chm_timing_ext, read, 8);
SIZE(chm_bridge_ext, 16);
AT(chm_bridge_ext, wrap, 8);
