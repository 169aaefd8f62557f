#define _GNU_SOURCE 1
#include "CLinux.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "retry.h"

pid_t cs_fork(void) { pid_t r = fork(); return r < 0 ? -errno : r; }
int cs_setsid(void) { return setsid() < 0 ? -errno : 0; }
int cs_kill(pid_t process, int signal_number) { return kill(process, signal_number) < 0 ? -errno : 0; }
int cs_open_cloexec(const char *path, int flags, unsigned mode) {
    return (int)CS_RETRY(open(path, flags | O_CLOEXEC | O_NOCTTY, (mode_t)mode));
}
int cs_unlink(const char *path) { return unlink(path) < 0 ? -errno : 0; }
int cs_rename(const char *from, const char *to) { return rename(from, to) < 0 ? -errno : 0; }
int cs_mkdir(const char *path, unsigned mode) { return mkdir(path, (mode_t)mode) < 0 ? -errno : 0; }
int cs_chmod(const char *path, unsigned mode) { return chmod(path, (mode_t)mode) < 0 ? -errno : 0; }
int cs_chown(const char *path, uint32_t user, uint32_t group) { return chown(path, user, group) < 0 ? -errno : 0; }
int cs_fchown(int fd, uint32_t user, uint32_t group) { return fchown(fd, user, group) < 0 ? -errno : 0; }
int cs_dup2(int from, int to) { return dup2(from, to) < 0 ? -errno : 0; }
int cs_can_execute(const char *path) { return access(path, X_OK) < 0 ? -errno : 0; }
int cs_is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }
int cs_ftruncate(int fd, int64_t size) { return ftruncate(fd, size) < 0 ? -errno : 0; }
ssize_t cs_readlink(const char *path, char *out, size_t capacity) { ssize_t r = readlink(path, out, capacity); return r < 0 ? -errno : r; }
uint32_t cs_effective_user(void) { return (uint32_t)geteuid(); }
uint32_t cs_effective_group(void) { return (uint32_t)getegid(); }
uint32_t cs_ipv4_address(struct sockaddr_storage *out, uint32_t address, uint16_t port) {
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address) };
    memset(out, 0, sizeof *out); memcpy(out, &a, sizeof a); return sizeof a;
}
uint32_t cs_ipv6_address(struct sockaddr_storage *out, uint64_t high, uint64_t low, uint16_t port) {
    struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    for (int i = 0; i < 8; i++) {
        a.sin6_addr.s6_addr[i] = (uint8_t)(high >> (56 - 8 * i));
        a.sin6_addr.s6_addr[8 + i] = (uint8_t)(low >> (56 - 8 * i));
    }
    memset(out, 0, sizeof *out); memcpy(out, &a, sizeof a); return sizeof a;
}
uint32_t cs_unix_address(struct sockaddr_storage *out, const uint8_t *path, size_t count) {
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    if (count >= sizeof a.sun_path) return 0;
    memcpy(a.sun_path, path, count);
    memset(out, 0, sizeof *out); memcpy(out, &a, sizeof a);
    // In the abstract name space the length says where the name ends.
    return count > 0 && path[0] == 0 ? (uint32_t)(offsetof(struct sockaddr_un, sun_path) + count) : (uint32_t)sizeof a;
}
int cs_socket_type(int family, int type) { int r = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); return r < 0 ? -errno : r; }
int cs_page_size(void) { return (int)sysconf(_SC_PAGESIZE); }
int cs_host_name(char *out, size_t capacity) { int r = gethostname(out, capacity); out[capacity - 1] = 0; return r < 0 ? -errno : 0; }
const char *cs_error_text(int code) { return strerror(code); }
int cs_process_descriptor(pid_t process) { int r = (int)syscall(SYS_pidfd_open, process, 0u); return r < 0 ? -errno : r; }
int cs_process(void) { return (int)getpid(); }
int cs_parent_process(void) { return (int)getppid(); }
void cs_sleep_ms(int ms) { struct timespec t = { ms / 1000, (ms % 1000) * 1000000L }; nanosleep(&t, NULL); }
const char *cs_getenv(const char *name) { return getenv(name); }
int cs_unsetenv(const char *name) { return unsetenv(name) < 0 ? -errno : 0; }
char **cs_environment(void) { return environ; }
_Noreturn void cs_exit_now(int status) { _exit(status); }
int cs_exec(const char *path, char *const *arguments) { execv(path, arguments); return -errno; }

int cs_glob(const char *pattern, void (*each)(void *context, const char *path), void *context) {
    glob_t found;
    int r = glob(pattern, 0, NULL, &found);
    int count = r == 0 ? (int)found.gl_pathc : r == GLOB_NOMATCH ? 0 : r == GLOB_NOSPACE ? -ENOMEM : -EIO;
    for (int i = 0; i < count; i++) each(context, found.gl_pathv[i]);
    globfree(&found);   // also after an error: what was found so far is there
    return count;
}

int cs_find_user(const char *name, struct cs_user *out) {
    struct passwd *entry = getpwnam(name);
    if (entry == NULL) return 0;
    *out = (struct cs_user){ .user = entry->pw_uid, .group = entry->pw_gid };
    return 1;
}

int cs_find_group(const char *name, uint32_t *out) {
    struct group *entry = getgrnam(name);
    if (entry == NULL) return 0;
    *out = entry->gr_gid;
    return 1;
}

int cs_groups_of_user(const char *name, uint32_t group, uint32_t *out, int capacity) {
    gid_t list[512];
    int count = 512;
    if (getgrouplist(name, group, list, &count) < 0) count = 512;
    if (count > capacity) count = capacity;
    for (int i = 0; i < count; i++) out[i] = list[i];
    return count;
}

int cs_read_address(const struct sockaddr_storage *address, uint32_t length, struct cs_address *out) {
    memset(out, 0, sizeof *out);
    out->family = address->ss_family;
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *a = (const struct sockaddr_in *)address;
        out->ipv4 = ntohl(a->sin_addr.s_addr);
        out->port = ntohs(a->sin_port);
        return 0;
    }
    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)address;
        for (int i = 0; i < 8; i++) {
            out->ipv6_high = out->ipv6_high << 8 | a->sin6_addr.s6_addr[i];
            out->ipv6_low = out->ipv6_low << 8 | a->sin6_addr.s6_addr[8 + i];
        }
        out->port = ntohs(a->sin6_port);
        return 0;
    }
    if (address->ss_family == AF_UNIX) {
        const struct sockaddr_un *a = (const struct sockaddr_un *)address;
        size_t room = length > offsetof(struct sockaddr_un, sun_path) ? length - offsetof(struct sockaddr_un, sun_path) : 0;
        if (room > sizeof a->sun_path) room = sizeof a->sun_path;
        out->path_count = (uint32_t)strnlen(a->sun_path, room);
        memcpy(out->path, a->sun_path, out->path_count);
        return 0;
    }
    return -EAFNOSUPPORT;
}

int cs_resolve(const char *host, struct cs_address *out, int capacity) {
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *list = NULL;
    if (getaddrinfo(host, NULL, &hints, &list) != 0) return 0;
    int count = 0;
    for (struct addrinfo *a = list; a != NULL && count < capacity; a = a->ai_next) {
        struct sockaddr_storage storage;
        memset(&storage, 0, sizeof storage);
        if (a->ai_addrlen > sizeof storage) continue;
        memcpy(&storage, a->ai_addr, a->ai_addrlen);
        if (cs_read_address(&storage, a->ai_addrlen, &out[count]) == 0) count++;
    }
    freeaddrinfo(list);
    return count;
}

// The title: ps reads the memory where the kernel put argv; the environment lies behind it and gives room once it is copied away.
static int start_count;
static char **start_arguments;
static char *title_start;
static size_t title_room;

__attribute__((constructor)) static void remember_arguments(int count, char **arguments) {
    start_count = count;
    start_arguments = arguments;
}

void cs_title_prepare(void) {
    if (title_start != NULL || start_count < 1 || start_arguments[0] == NULL) return;
    char *end = start_arguments[0];
    for (int i = 0; i < start_count; i++) if (start_arguments[i] == end) end += strlen(end) + 1;
    size_t n = 0;
    while (environ[n] != NULL) n++;
    char **copy = calloc(n + 1, sizeof *copy);
    if (copy == NULL) return;
    for (size_t i = 0; i < n; i++) {
        if (environ[i] == end) end += strlen(end) + 1;
        if ((copy[i] = strdup(environ[i])) == NULL) return;
    }
    title_start = start_arguments[0];
    title_room = (size_t)(end - title_start);
    environ = copy;
    for (int i = 0; i < start_count; i++) {
        char *moved = strdup(start_arguments[i]);
        if (moved != NULL) start_arguments[i] = moved;
    }
}

void cs_title_set(const char *title) {
    if (title_start == NULL || title_room < 2) return;
    size_t n = strlen(title);
    if (n > title_room - 1) n = title_room - 1;
    memcpy(title_start, title, n);
    memset(title_start + n, 0, title_room - n);
}

int cs_processor_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

void cs_log_time(char *out) {
    time_t now = time(NULL);
    struct tm t;
    localtime_r(&now, &t);
    snprintf(out, 20, "%04d/%02d/%02d %02d:%02d:%02d", (t.tm_year + 1900) % 10000, (t.tm_mon + 1) % 100, t.tm_mday % 100, t.tm_hour % 100, t.tm_min % 100, t.tm_sec % 100);
}

void *cs_map_shared(int fd, size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void cs_unmap(void *memory, size_t size) { munmap(memory, size); }

int cs_sealable_memory(const char *name) {
    int r = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return r < 0 ? -errno : r;
}

int cs_seal_size(int fd) { return fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0 ? -errno : 0; }

int cs_seal_content(int fd) {
    return fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0 ? -errno : 0;
}

int cs_punch_hole(int fd, int64_t offset, int64_t length) {
    return (int)CS_RETRY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length));
}

int cs_open_entry(int directory, const char *path, int nofollow) {
    return (int)CS_RETRY(openat(directory, path, O_PATH | O_CLOEXEC | (nofollow ? O_NOFOLLOW : 0)));
}

void cs_close_inherited(void) {
    DIR *list = opendir("/proc/self/fd");
    if (list == NULL) return;
    for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
        int fd = atoi(entry->d_name);
        if (fd < 3 || fd == dirfd(list)) continue;
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0 && !(flags & FD_CLOEXEC)) close(fd);
    }
    closedir(list);
}
