// The processes of the instance: who belongs to it, killing all of them, its cgroups.
//
// The keeper is their subreaper: what loses its parent becomes the keeper's child. So "nothing is left" is exactly
// "the keeper has no child", and every descendant can be found by walking from a process to its parents.
#include "keeper.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Processes that one scan of /proc can hold. Those beyond it are found by the next scan.
#define PROCESSES_MAX 32768
/// Depth of a family tree; a loop by reused identifiers ends there.
#define DEPTH_MAX 64

static struct { pid_t pid, parent; bool is_ours; } table[PROCESSES_MAX];

bool process_stat(pid_t pid, pid_t *parent, pid_t *session, uint64_t *start_ticks) {
    char path[32], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) return false;
    text[n] = 0;
    // The name may contain anything, also parentheses: the fields begin behind the last one.
    char *fields = strrchr(text, ')');
    if (fields == NULL) return false;
    long values[20] = { 0 };
    char *at = fields + 4;              // ") S " : the state is one letter
    for (int i = 0; i < 19; i++) values[i] = strtol(at, &at, 10);
    *parent = (pid_t)values[0];
    *session = (pid_t)values[2];
    *start_ticks = (uint64_t)values[18];
    return true;
}

bool tree_contains(const struct keeper *k, pid_t pid) {
    pid_t keeper = getpid();
    for (int depth = 0; depth < DEPTH_MAX && pid > 1; depth++) {
        if (pid == keeper) return depth > 0;
        pid_t parent, session;
        uint64_t ticks;
        if (!process_stat(pid, &parent, &session, &ticks)) return false;
        if (k->state.app_pid > 0 && (pid == k->state.app_pid || session == k->state.app_pid)) return true;
        pid = parent;
    }
    return false;
}

/// Lists all processes and their parents. Not readdir, which allocates.
static size_t scan_processes(void) {
    static char entries[32768];
    struct entry { uint64_t inode; int64_t offset; unsigned short length; unsigned char type; char name[]; };
    int directory = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return 0;
    size_t count = 0;
    long n;
    while (count < PROCESSES_MAX && (n = syscall(SYS_getdents64, directory, entries, sizeof entries)) > 0) {
        for (long at = 0; at < n && count < PROCESSES_MAX;) {
            struct entry *e = (struct entry *)(entries + at);
            at += e->length;
            char *end;
            long pid = strtol(e->name, &end, 10);
            pid_t session;
            uint64_t ticks;
            if (pid <= 0 || *end != 0) continue;
            if (!process_stat((pid_t)pid, &table[count].parent, &session, &ticks)) continue;
            table[count].pid = (pid_t)pid;
            table[count].is_ours = false;
            count++;
        }
    }
    close(directory);
    return count;
}

/// Kills one process, unless its identifier was given to another process since the scan.
static bool kill_exactly(pid_t pid, pid_t parent) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0u);
    if (fd < 0) return errno == ENOSYS && kill(pid, SIGKILL) == 0;
    pid_t present = 0, session;
    uint64_t ticks;
    bool is_same = process_stat(pid, &present, &session, &ticks) && (present == parent || present == getpid());
    bool is_killed = is_same && syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0u) == 0;
    close(fd);
    return is_killed;
}

/// Where a process stands in the scan; -1: nowhere. /proc lists processes in the order of their identifiers.
static long find_process(size_t count, pid_t pid) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table[middle].pid == pid) return (long)middle;
        if (table[middle].pid < pid) low = middle + 1;
        else high = middle;
    }
    return -1;
}

/// Whether a process of the scan descends from the keeper.
static bool is_descendant(size_t count, long at) {
    pid_t keeper = getpid();
    for (int depth = 0; depth < DEPTH_MAX && at >= 0; depth++) {
        if (table[at].is_ours || table[at].parent == keeper) return true;
        at = find_process(count, table[at].parent);
    }
    return false;                       // whose ancestors are killed becomes the keeper's child: the next scan finds it
}

/// Kills all descendants that a scan finds. O(n log n) for the processes of the host.
static uint32_t kill_descendants(void) {
    size_t count = scan_processes();
    uint32_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_descendant(count, (long)i)) continue;
        table[i].is_ours = true;
        found += kill_exactly(table[i].pid, table[i].parent);
    }
    return found;
}

static int open_in(const char *directory, const char *name, int flags) {
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path) return -1;
    return open(path, flags | O_CLOEXEC);
}

/// cgroup v2 has a file for it; in v1 each member is killed.
static void kill_cgroup(const char *directory) {
    int fd = open_in(directory, "cgroup.kill", O_WRONLY);
    if (fd >= 0) {
        ssize_t ignored = write(fd, "1", 1);
        (void)ignored;
        close(fd);
        return;
    }
    fd = open_in(directory, "cgroup.procs", O_RDONLY);
    if (fd < 0) return;
    static char text[65536];
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) return;
    text[n] = 0;
    for (char *at = text; *at != 0;) {
        char *end;
        long pid = strtol(at, &end, 10);
        if (end == at) break;
        if (pid > 1 && pid != getpid()) kill((pid_t)pid, SIGKILL);
        at = end + (*end == '\n');
    }
}

uint32_t tree_kill(struct keeper *k) {
    for (size_t i = 0; i < k->told.cgroup_count; i++) kill_cgroup(k->told.cgroups[i]);
    // As long as the main process was not collected, its identifier and that of its group are its own.
    bool is_collected = k->state.phase != GG_PHASE_RUNNING && k->state.phase != GG_PHASE_FORKED;
    if (!is_collected && k->state.app_pid > 0 && kill(-k->state.app_pid, SIGKILL) < 0) {
        kill(k->state.app_pid, SIGKILL);        // before its setsid
    }
    return kill_descendants();
}

/// The number behind "oom_kill " in memory.events (v2) or memory.oom_control (v1).
static uint32_t read_oom_kills(const char *directory) {
    int fd = open_in(directory, "memory.events", O_RDONLY);
    if (fd < 0) fd = open_in(directory, "memory.oom_control", O_RDONLY);
    if (fd < 0) return 0;
    char text[1024];
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) return 0;
    text[n] = 0;
    for (char *line = text; line != NULL && *line != 0; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, "oom_kill ", 9) == 0) return (uint32_t)strtoul(line + 9, NULL, 10);
    }
    return 0;
}

uint32_t cgroup_oom_kills(const struct keeper *k) {
    uint32_t total = 0;
    for (size_t i = 0; i < k->told.cgroup_count; i++) total += read_oom_kills(k->told.cgroups[i]);
    return total;
}

void cgroup_remove(const struct keeper *k) {
    for (size_t i = 0; i < k->told.cgroup_count; i++) rmdir(k->told.cgroups[i]);
}
