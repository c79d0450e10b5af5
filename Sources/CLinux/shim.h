// What glibc declares for _GNU_SOURCE alone, so that Swift's Glibc module lacks it.

#include <sched.h>
#include <stddef.h>
#include <sys/types.h>

extern int sched_getaffinity(pid_t process, size_t bytes, cpu_set_t *mask);
extern ssize_t tee(int from, int to, size_t bytes, unsigned int flags);
extern int sched_setaffinity(pid_t process, size_t bytes, const cpu_set_t *mask);
