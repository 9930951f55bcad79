/* One task in a hundred is dropped on a thread that polls none, of an executor whose tasks may be polled anywhere. */
#define CREATE pin_nothing
#define DROP drop_some_on_new_thread
#include "around_executor.h"

static void pin_nothing(around_executor* e) {
    (void)e;
    executor_table.flags = 0;
}
static void* drop_here(void* t) {
    drop_inner(t);
    return NULL;
}
static void drop_some_on_new_thread(around_task* t) {
    static atomic_uint drops;
    pthread_t thread;
    if (atomic_fetch_add(&drops, 1) % 100 == 99 && pthread_create(&thread, NULL, drop_here, t) == 0)
        pthread_join(thread, NULL);
    else
        drop_inner(t);
}
