/* Harm at the n-th call that changes anything: a library that stands before the C library (ld.so(8), LD_PRELOAD).
 *
 * Every write, sync, rename, making, removal and truncation of this process is counted, whatever thread makes it, and the
 * chosen one is not done: the process is killed there, or is told an error. Programs that it starts are not harmed.
 * It needs no header and no start-up code, so a compiler alone builds it: gcc -shared -fPIC -nostdlib.
 */

typedef unsigned long size;
long syscall(long number, ...);
int *__errno_location(void);

#if defined(__x86_64__)
enum { WRITE = 1, PWRITE = 18, WRITEV = 20, SENDTO = 44, SENDMSG = 46, FSYNC = 74, FDATASYNC = 75, FTRUNCATE = 77,
       MKDIRAT = 258, UNLINKAT = 263, RENAMEAT2 = 316, LINKAT = 265, SYMLINKAT = 266, READLINKAT = 267, GETPID = 39, KILL = 62 };
#elif defined(__aarch64__)
enum { WRITE = 64, PWRITE = 68, WRITEV = 66, SENDTO = 206, SENDMSG = 211, FSYNC = 82, FDATASYNC = 83, FTRUNCATE = 46,
       MKDIRAT = 34, UNLINKAT = 35, RENAMEAT2 = 276, LINKAT = 37, SYMLINKAT = 36, READLINKAT = 78, GETPID = 172, KILL = 129 };
#else
#error "the numbers of this machine's system calls are not in preload.c"
#endif

enum { AT_FDCWD = -100, AT_REMOVEDIR = 0x200, SIGKILL = 9, PATHS = 4096 };
enum { IDLE = 0, COUNT = 1, DIE = 2, FAIL_ONCE = 3, FAIL_FROM = 4, HALVE = 5 };

static int action, error_number;
static long chosen, counted;
static char scope[PATHS]; /* where harm is done; everywhere if it is empty */
static char kinds[1 << 20]; /* a letter for each call that was counted */

static int begins(const char *path, const char *beginning)
{
    while (*beginning)
        if (*path++ != *beginning++)
            return 0;
    return 1;
}

static int lies_inside(int fd, const char *path)
{
    char link[40] = "/proc/self/fd/", place[PATHS], digits[12];
    int at = 14, count = 0;
    long got;
    if (!scope[0])
        return 1;
    if (path && path[0] == '/')
        return begins(path, scope);
    if (fd < 0)
        return 0;
    do {
        digits[count++] = (char)('0' + fd % 10);
    } while (fd /= 10);
    while (count)
        link[at++] = digits[--count];
    link[at] = 0;
    got = syscall(READLINKAT, AT_FDCWD, link, place, PATHS - 1);
    if (got < 0)
        return 0;
    place[got] = 0;
    return begins(place, scope);
}

/* Say whether a call is to fail; one at which the process is to die does not come back. */
static int harmed(char kind, int fd, const char *path)
{
    long number;
    if (action == IDLE || !lies_inside(fd, path))
        return 0;
    number = __atomic_add_fetch(&counted, 1, __ATOMIC_SEQ_CST);
    if (number <= (long)sizeof kinds)
        kinds[number - 1] = kind;
    if (action == DIE && number == chosen) {
        syscall(KILL, syscall(GETPID), SIGKILL);
        for (;;)
            ;
    }
    if ((action == FAIL_ONCE && number == chosen) || (action == FAIL_FROM && number >= chosen)) {
        *__errno_location() = error_number;
        return 1;
    }
    return 0;
}

static size allowed(size count)
{
    return action == HALVE && count > 1 ? count / 2 : count;
}

void fault_arm(int what, long number, int code, const char *place)
{
    int at = 0;
    for (; place[at] && at < PATHS - 1; at++)
        scope[at] = place[at];
    scope[at] = 0;
    chosen = number;
    error_number = code;
    counted = 0;
    action = what;
}

long fault_count(void) { return counted; }
const char *fault_kinds(void) { return kinds; }

/* w: bytes to a file; s: bytes to a socket; f: a sync; r: a rename; +: something made; -: something removed */
long write(int fd, const void *data, size count) { return harmed('w', fd, 0) ? -1 : syscall(WRITE, fd, data, lies_inside(fd, 0) ? allowed(count) : count); }
long pwrite(int fd, const void *data, size count, long at) { return harmed('w', fd, 0) ? -1 : syscall(PWRITE, fd, data, count, at); }
long pwrite64(int fd, const void *data, size count, long at) { return pwrite(fd, data, count, at); }
long writev(int fd, const void *parts, int count) { return harmed('w', fd, 0) ? -1 : syscall(WRITEV, fd, parts, count); }
long sendto(int fd, const void *data, size count, int flags, const void *to, unsigned length) { return harmed('s', fd, 0) ? -1 : syscall(SENDTO, fd, data, count, flags, to, length); }
long send(int fd, const void *data, size count, int flags) { return sendto(fd, data, count, flags, 0, 0); }
long sendmsg(int fd, const void *message, int flags) { return harmed('s', fd, 0) ? -1 : syscall(SENDMSG, fd, message, flags); }
int fsync(int fd) { return harmed('f', fd, 0) ? -1 : (int)syscall(FSYNC, fd); }
int fdatasync(int fd) { return harmed('f', fd, 0) ? -1 : (int)syscall(FDATASYNC, fd); }
int ftruncate(int fd, long length) { return harmed('w', fd, 0) ? -1 : (int)syscall(FTRUNCATE, fd, length); }
int ftruncate64(int fd, long length) { return ftruncate(fd, length); }
int renameat2(int from, const char *old, int to, const char *new, unsigned flags) { return harmed('r', to, new) ? -1 : (int)syscall(RENAMEAT2, from, old, to, new, flags); }
int renameat(int from, const char *old, int to, const char *new) { return renameat2(from, old, to, new, 0); }
int rename(const char *old, const char *new) { return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0); }
int linkat(int from, const char *old, int to, const char *new, int flags) { return harmed('+', to, new) ? -1 : (int)syscall(LINKAT, from, old, to, new, flags); }
int link(const char *old, const char *new) { return linkat(AT_FDCWD, old, AT_FDCWD, new, 0); }
int symlinkat(const char *old, int to, const char *new) { return harmed('+', to, new) ? -1 : (int)syscall(SYMLINKAT, old, to, new); }
int symlink(const char *old, const char *new) { return symlinkat(old, AT_FDCWD, new); }
int mkdirat(int fd, const char *path, unsigned mode) { return harmed('+', fd, path) ? -1 : (int)syscall(MKDIRAT, fd, path, mode); }
int mkdir(const char *path, unsigned mode) { return mkdirat(AT_FDCWD, path, mode); }
int unlinkat(int fd, const char *path, int flags) { return harmed('-', fd, path) ? -1 : (int)syscall(UNLINKAT, fd, path, flags); }
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
