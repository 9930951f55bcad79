/** @file
 * chimera/abi.h: the whole contract. C99, C11 and C++20; no dependencies. */
#ifndef CHIMERA_ABI_H
#define CHIMERA_ABI_H

#include "abi/base.h"
#include "abi/bridge.h"
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
