// What glibc declares for _GNU_SOURCE alone, so that Swift's Glibc module lacks it; and the
// environment, a global variable, which Swift 6 does not read.

#include <sched.h>
#include <stddef.h>
#include <sys/types.h>

extern int sched_getaffinity(pid_t process, size_t bytes, cpu_set_t *mask);
extern int pipe2(int ends[2], int flags);
extern ssize_t tee(int from, int to, size_t bytes, unsigned int flags);
extern int sched_setaffinity(pid_t process, size_t bytes, const cpu_set_t *mask);

extern char **environ;
static inline char **currentEnvironment(void) { return environ; }
