// Processes, users, files and titles: what the supervisor needs beside CSystem.h. Same convention: a value >= 0, or -errno.
// Nothing here may run in a process that has started threads, but for the read-only look-ups.
#pragma once
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <arpa/inet.h>

// --- starting programs ---

/// Everything that a child gets. Strings and arrays stay the caller's.
struct cs_spawn {
    int executable;             // descriptor of the program (O_PATH), or -1 for `path` only
    const char *path;           // the program; also tried when the kernel cannot execute the descriptor (a script)
    char *const *arguments;     // argv, NULL at its end
    char *const *environment;   // envp, NULL at its end
    const char *directory;      // working directory, or NULL
    int channel;                // becomes descriptor 3; -1: none
    const int *inherited;       // descriptors that stay open under their own numbers (binary upgrade); only with channel -1
    int inherited_count;
    int64_t descriptors_max;    // RLIMIT_NOFILE, -1: as it is
    int64_t core_bytes_max;     // RLIMIT_CORE, -1: as it is
    int priority;               // nice value, when priority_set
    int priority_set;
    const uint8_t *processors;  // allowed processors, one byte (0 or 1) each; NULL: all
    int processor_count;
};

/// Forks and executes. The child gets default signal handlers, an empty mask, descriptors 0 to 2, its channel, and nothing else.
/// Returns the process id; -errno when anything up to and including exec failed (the failed child is reaped already).
pid_t cs_spawn(const struct cs_spawn *what);

/// Forks without exec, for daemon(3)-like detaching only, before anything else exists. Returns 0 in the child.
static inline pid_t cs_fork(void) { pid_t r = fork(); return r < 0 ? -errno : r; }
static inline int cs_setsid(void) { return setsid() < 0 ? -errno : 0; }

/// How a child ended.
struct cs_exit { pid_t process; int exited; int code; int signal; int core_dumped; };
/// Collects one ended child without waiting: 1 with `out` filled, 0 when there is none (now), or -errno.
int cs_reap(struct cs_exit *out);
static inline int cs_kill(pid_t process, int signal_number) { return kill(process, signal_number) < 0 ? -errno : 0; }

// --- signals ---

/// Blocks the signals for the whole process and returns a non-blocking descriptor that reports them. SIGPIPE and SIGSYS are ignored.
int cs_signal_descriptor(const int *signals, int count);
/// Reads one signal: 1 with number and sender (0 when the kernel sent it), 0 when there is none, or -errno.
int cs_read_signal(int fd, int *number, int *sender);

// --- files ---

static inline int cs_open_cloexec(const char *path, int flags, unsigned mode) {
    return (int)CS_RETRY(open(path, flags | O_CLOEXEC | O_NOCTTY, (mode_t)mode));
}
static inline int cs_unlink(const char *path) { return unlink(path) < 0 ? -errno : 0; }
static inline int cs_rename(const char *from, const char *to) { return rename(from, to) < 0 ? -errno : 0; }
static inline int cs_mkdir(const char *path, unsigned mode) { return mkdir(path, (mode_t)mode) < 0 ? -errno : 0; }
static inline int cs_chmod(const char *path, unsigned mode) { return chmod(path, (mode_t)mode) < 0 ? -errno : 0; }
static inline int cs_chown(const char *path, uint32_t user, uint32_t group) { return chown(path, user, group) < 0 ? -errno : 0; }
static inline int cs_fchown(int fd, uint32_t user, uint32_t group) { return fchown(fd, user, group) < 0 ? -errno : 0; }
static inline int cs_fchmod(int fd, unsigned mode) { return fchmod(fd, (mode_t)mode) < 0 ? -errno : 0; }
static inline int cs_dup2(int from, int to) { return dup2(from, to) < 0 ? -errno : 0; }
static inline int cs_can_execute(const char *path) { return access(path, X_OK) < 0 ? -errno : 0; }
static inline unsigned cs_umask(unsigned mask) { return (unsigned)umask((mode_t)mask); }
static inline int cs_is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }
static inline int cs_ftruncate(int fd, int64_t size) { return ftruncate(fd, size) < 0 ? -errno : 0; }
/// Writes the target of a symbolic link, without a final zero; returns its length.
static inline ssize_t cs_readlink(const char *path, char *out, size_t capacity) { ssize_t r = readlink(path, out, capacity); return r < 0 ? -errno : r; }
/// Copies the working directory with its final zero; returns its length.
static inline ssize_t cs_working_directory(char *out, size_t capacity) { return getcwd(out, capacity) == NULL ? -(ssize_t)errno : (ssize_t)strlen(out); }

/// The paths that match a glob(7) pattern, sorted by bytes, calling `each` for every one. Returns their number (0: none) or -errno.
int cs_glob(const char *pattern, void (*each)(void *context, const char *path), void *context);

// --- users ---

struct cs_user { uint32_t user; uint32_t group; };
/// Looks a user up: 1 when found, 0 when not.
int cs_find_user(const char *name, struct cs_user *out);
/// Looks a group up: 1 when found, 0 when not.
int cs_find_group(const char *name, uint32_t *out);
/// The groups of a user, `group` included; returns their number, at most `capacity`.
int cs_groups_of_user(const char *name, uint32_t group, uint32_t *out, int capacity);
static inline uint32_t cs_effective_user(void) { return (uint32_t)geteuid(); }
static inline uint32_t cs_effective_group(void) { return (uint32_t)getegid(); }

// --- names and addresses ---

static inline uint32_t cs_ipv4_address(struct sockaddr_storage *out, uint32_t address, uint16_t port) {
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address) };
    memset(out, 0, sizeof *out); memcpy(out, &a, sizeof a); return sizeof a;
}
static inline uint32_t cs_ipv6_address(struct sockaddr_storage *out, uint64_t high, uint64_t low, uint16_t port) {
    struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    for (int i = 0; i < 8; i++) {
        a.sin6_addr.s6_addr[i] = (uint8_t)(high >> (56 - 8 * i));
        a.sin6_addr.s6_addr[8 + i] = (uint8_t)(low >> (56 - 8 * i));
    }
    memset(out, 0, sizeof *out); memcpy(out, &a, sizeof a); return sizeof a;
}
/// 0 when the path does not fit into a socket address.
static inline uint32_t cs_unix_address(struct sockaddr_storage *out, const uint8_t *path, size_t count) {
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    if (count >= sizeof a.sun_path) return 0;
    memcpy(a.sun_path, path, count);
    memset(out, 0, sizeof *out); memcpy(out, &a, sizeof a); return (uint32_t)sizeof a;
}
/// A socket address in host terms: family, address and port, or the path of a Unix-domain socket.
struct cs_address { int family; uint32_t ipv4; uint64_t ipv6_high, ipv6_low; uint16_t port; uint8_t path[108]; uint32_t path_count; };
int cs_read_address(const struct sockaddr_storage *address, uint32_t length, struct cs_address *out);
/// Addresses of a host name; returns their number (at most `capacity`), 0 when the name does not resolve.
int cs_resolve(const char *host, struct cs_address *out, int capacity);
static inline int cs_socket_type(int family, int type) { int r = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); return r < 0 ? -errno : r; }

// --- the process itself ---

/// Prepares the title: the arguments and the environment are copied away, so that their place can be overwritten.
void cs_title_prepare(void);
/// What ps shows from now on (cut to the room there is).
void cs_title_set(const char *title);
/// Number of processors that this process may use, >= 1.
int cs_processor_count(void);
static inline int cs_page_size(void) { return (int)sysconf(_SC_PAGESIZE); }
static inline int cs_host_name(char *out, size_t capacity) { int r = gethostname(out, capacity); out[capacity - 1] = 0; return r < 0 ? -errno : 0; }
static inline const char *cs_error_text(int code) { return strerror(code); }
/// Local time of the error log, `2026/11/22 08:25:04`; `out` has room for 20 bytes.
void cs_log_time(char *out);
static inline int cs_process(void) { return (int)getpid(); }
static inline int cs_parent_process(void) { return (int)getppid(); }
static inline void cs_sleep_ms(int ms) { struct timespec t = { ms / 1000, (ms % 1000) * 1000000L }; nanosleep(&t, NULL); }
static inline const char *cs_getenv(const char *name) { return getenv(name); }
static inline int cs_unsetenv(const char *name) { return unsetenv(name) < 0 ? -errno : 0; }
extern char **environ;
static inline char **cs_environment(void) { return environ; }
/// Ends the process at once: no handlers, nothing flushed.
static inline _Noreturn void cs_exit_now(int status) { _exit(status); }
/// Replaces this process by a program. Returns only on failure.
static inline int cs_exec(const char *path, char *const *arguments) { execv(path, arguments); return -errno; }
