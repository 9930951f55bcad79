/* A run that could not start its thread drops all tasks. */
#define RUN run_beside_a_thread
#include "around_executor.h"

static void* nothing(void* unused) { return unused; }
static chm_rc run_beside_a_thread(around_executor* e, uint32_t mode, chm_error* err) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, nothing, NULL) == 0) {
        pthread_join(thread, NULL);
        return run_inner(e, mode, err);
    }
    stop_inner(e);
    run_inner(e, mode, NULL);
    if (err != NULL && err->cap > 0) strncpy(err->text, "no thread", err->cap - 1);
    return CHM_E_FAIL;
}
