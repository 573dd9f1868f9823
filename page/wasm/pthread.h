/* pthread.h - what model/pool.c wants of it, where there is one thread. */
#ifndef CAELUM_PAGE_PTHREAD_H
#define CAELUM_PAGE_PTHREAD_H

#include <sys/types.h>

static inline int pthread_mutex_init(pthread_mutex_t *mutex, const void *attributes) {
    (void)attributes;
    (void)mutex;
    return 0;
}
static inline void pthread_mutex_lock(pthread_mutex_t *mutex) {
    (void)mutex;
}
static inline void pthread_mutex_unlock(pthread_mutex_t *mutex) {
    (void)mutex;
}
static inline void pthread_mutex_destroy(pthread_mutex_t *mutex) {
    (void)mutex;
}

#endif
