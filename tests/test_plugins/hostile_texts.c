/* Whatever it says - its help, its log, its errors - tries to act on the terminal that shows it. */
#define HOSTILE                                                                                                        \
    "\033]0;title\a\033[2J\r\b\177\302\205\342\200\256\342\201\246\342\200\213\363\240\201\201\377\nerror [host] "     \
    "forged"
#define ENTRY_DESCRIPTION "Describes itself: " HOSTILE
#define ENTRY_VERSION "1" HOSTILE
#define OPTIONS                                                                                                        \
    { sizeof(chm_option), CHM_OPT_STRING, "text", "Help: " HOSTILE, "", NULL, 1, 0 }
#define ENTRY_INIT hostile_init
#define FACTORY_CREATE hostile_create
#include <chimera/abi.h>
static inline chm_rc hostile_init(const chm_host* host, chm_error* error);
static inline chm_rc hostile_create(const chm_host* host, const chm_config* config, chm_executor** out,
                                    chm_error* error);
#include "skeleton.h"

static inline chm_rc hostile_init(const chm_host* host, chm_error* error) {
    const chm_rc rc = init(host, error);
    tell("Logs: " HOSTILE);
    return rc;
}

static inline chm_rc hostile_create(const chm_host* host, const chm_config* config, chm_executor** out,
                                    chm_error* error) {
    (void)host, (void)config, (void)out;
    tell("Logs: " HOSTILE);
    say(error, "Fails: " HOSTILE);
    return CHM_E_INVAL;
}
