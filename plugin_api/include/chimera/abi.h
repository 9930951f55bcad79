/** @file
 * chimera/abi.h: the whole contract between the host and its plugins. C99, C11 and C++20. It needs no library.
 *
 * Example: extensions are optional. Ask for one by its id, and do without it if the answer is NULL.
 * @code{.c}
 * static chm_reactor *reactor_of(chm_executor *e) {
 *     return (chm_reactor *)e->vt->get_extension(e, CHM_EXT_REACTOR);
 * }
 * @endcode
 *
 * Tags. Each function's comment begins with a thread and, where it matters, states: [run-thread & !running] means
 * "on the thread that called run, while run is not in progress". These are all the tags:
 *
 *     main-thread     the thread that loads the plugin
 *     any-thread      any thread, and several threads at once
 *     run-thread      the thread that calls run; any one thread if run is never called
 *     worker          a thread on which the executor polls or drops tasks
 *     task-worker     inside poll or drop of the task that uses the session or the endpoint
 *     reactor-thread  any thread if the reactor has CHM_REACTOR_ANY_THREAD;
 *                     otherwise only inside poll or drop of a task on the worker that made the object
 *
 *     once            at most one call (init and deinit: for the plugin; other functions: for each object)
 *     initialized     init has succeeded, and deinit was not called
 *     running         run was called, and has not returned
 *     done            a poll of the task has returned something else than CHM_PENDING
 *     open            the session has an exchange that is not closed
 *     head            poll_head of the exchange has returned CHM_READY
 *     ready           poll_ready of the endpoint has returned CHM_READY
 *
 * Three rules hold for every function. It may be called until its object is destroyed, closed or dropped. It throws
 * nothing (CHM_NX). Its pointer arguments are borrowed for the call, unless an OWNERSHIP line says otherwise. */
#ifndef CHIMERA_ABI_H
#define CHIMERA_ABI_H

#include "abi/base.h"
#include "abi/bridge.h"
#include "abi/coordinator.h"
#include "abi/executor.h"
#include "abi/option.h"
#include "abi/plugin.h"
#include "abi/reactor.h"
#include "abi/recv.h"
#include "abi/service.h"
#include "abi/task.h"
#include "abi/timing.h"
#include "abi/transport.h"
#include "abi/waker.h"

#endif
