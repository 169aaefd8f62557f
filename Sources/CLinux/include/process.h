// Processes, users, files and titles: what the supervisor needs beside CLinux.h. Same convention: a value >= 0, or -errno.
// Nothing here may run in a process that has started threads, but for the read-only look-ups.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

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
    int64_t descriptors_max;    // RLIMIT_NOFILE, -1: as this process was started with
    int64_t core_bytes_max;     // RLIMIT_CORE, -1: as it is
};

/// Forks and executes. The child gets default signal handlers, an empty mask, descriptors 0 to 2, its channel, and nothing else.
/// Returns the process id; -errno when anything up to and including exec failed (the failed child is reaped already).
pid_t cs_spawn(const struct cs_spawn *what);

/// Forks without exec, for daemon(3)-like detaching only, before anything else exists. Returns 0 in the child.
pid_t cs_fork(void);
int cs_setsid(void);

/// Lets this process have as many descriptors as its hard limit allows. What it spawns gets the limit from before.
int cs_raise_descriptors_max(void);
/// How many descriptors this process may have.
int64_t cs_descriptors_max(void);
/// How many it may ask for.
int64_t cs_descriptors_hard_max(void);

/// How a child ended.
struct cs_exit { pid_t process; int exited; int code; int signal; int core_dumped; };
/// Collects one ended child without waiting: 1 with `out` filled, 0 when there is none (now), or -errno.
int cs_reap(struct cs_exit *out);
int cs_kill(pid_t process, int signal_number);
/// A descriptor that is readable when the process has ended; it need not be a child.
int cs_process_descriptor(pid_t process);

// --- signals ---

/// Blocks the signals for the whole process and returns a non-blocking descriptor that reports them. SIGPIPE and SIGSYS are ignored.
int cs_signal_descriptor(const int *signals, int count);
/// Reads one signal: 1 with number and sender (0 when the kernel sent it), 0 when there is none, or -errno.
int cs_read_signal(int fd, int *number, int *sender);

// --- files ---

int cs_open_cloexec(const char *path, int flags, unsigned mode);
/// Closes the descriptors from 3 on that came from whoever started us: those that do not close on exec, as all of our own do.
void cs_close_inherited(void);
/// Holds what a name stands for, be it a program, a socket or (with `nofollow`) a symbolic link, without opening it.
int cs_open_entry(int directory, const char *path, int nofollow);
int cs_unlink(const char *path);
int cs_rename(const char *from, const char *to);
int cs_mkdir(const char *path, unsigned mode);
int cs_chmod(const char *path, unsigned mode);
int cs_chown(const char *path, uint32_t user, uint32_t group);
int cs_fchown(int fd, uint32_t user, uint32_t group);
int cs_dup2(int from, int to);
int cs_can_execute(const char *path);
int cs_is_open(int fd);
int cs_ftruncate(int fd, int64_t size);
/// Writes the target of a symbolic link, without a final zero; returns its length.
ssize_t cs_readlink(const char *path, char *out, size_t capacity);

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
uint32_t cs_effective_user(void);
uint32_t cs_effective_group(void);

// --- names and addresses ---

uint32_t cs_ipv4_address(struct sockaddr_storage *out, uint32_t address, uint16_t port);
uint32_t cs_ipv6_address(struct sockaddr_storage *out, uint64_t high, uint64_t low, uint16_t port);
/// 0 when the path does not fit into a socket address.
uint32_t cs_unix_address(struct sockaddr_storage *out, const uint8_t *path, size_t count);
/// A socket address in host terms: family, address and port, or the path of a Unix-domain socket.
struct cs_address { int family; uint32_t ipv4; uint64_t ipv6_high, ipv6_low; uint16_t port; uint8_t path[108]; uint32_t path_count; };
int cs_read_address(const struct sockaddr_storage *address, uint32_t length, struct cs_address *out);
/// Addresses of a host name; returns their number (at most `capacity`), 0 when the name does not resolve.
int cs_resolve(const char *host, struct cs_address *out, int capacity);
int cs_socket_type(int family, int type);

// --- the process itself ---

/// Prepares the title: the arguments and the environment are copied away, so that their place can be overwritten.
void cs_title_prepare(void);
/// What ps shows from now on (cut to the room there is).
void cs_title_set(const char *title);
/// Number of processors that this process may use, >= 1.
int cs_processor_count(void);
int cs_page_size(void);
int cs_host_name(char *out, size_t capacity);
const char *cs_error_text(int code);
/// Local time of the error log, `2026/11/22 08:25:04`; `out` has room for 20 bytes.
void cs_log_time(char *out);
int cs_process(void);
int cs_parent_process(void);
void cs_sleep_ms(int ms);
const char *cs_getenv(const char *name);
int cs_unsetenv(const char *name);
char **cs_environment(void);
/// Ends the process at once: no handlers, nothing flushed.
_Noreturn void cs_exit_now(int status);
/// Replaces this process by a program. Returns only on failure.
int cs_exec(const char *path, char *const *arguments);

// --- shared memory ---

/// A memfd that can be sealed.
int cs_sealable_memory(const char *name);
/// Seals the size; the content stays writable. No other seals can be added.
int cs_seal_size(int fd);
/// Seals size and content. No other seals can be added.
int cs_seal_content(int fd);
// Makes a part of a memfd zero, and gives its pages back.
int cs_punch_hole(int fd, int64_t offset, int64_t length);
/// Maps a memfd for reading and writing, shared. NULL on failure.
void *cs_map_shared(int fd, size_t size);
void cs_unmap(void *memory, size_t size);
