// From fork to exec. What runs in the child allocates nothing and calls nothing but system calls; the strings that
// need the child's process identifier are formatted into buffers that were laid out before the fork.
#include "keeper.h"
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/// What the child tells the keeper when it cannot go on.
struct exec_failure { uint32_t step; int32_t error; };

/// Buffers for the variables that hold a process identifier or come from the keeper.
static char listen_pid[40], watchdog_pid[40], watchdog_us[48], listen_fds[24], notify_socket[96];
static char listen_names[2048];

extern char **environ;

_Noreturn static void give_up(int report, uint32_t step) {
    struct exec_failure failure = { step, errno };
    ssize_t ignored = write(report, &failure, sizeof failure);
    (void)ignored;
    _exit(127);
}

/// NAME=number, without stdio.
static void format_pid(char *out, const char *name, pid_t pid) {
    char digits[16];
    int n = 0;
    do { digits[n++] = (char)('0' + pid % 10); pid /= 10; } while (pid > 0);
    while (*name) *out++ = *name++;
    while (n > 0) *out++ = digits[--n];
    *out = 0;
}

/// Moves the listeners to 3…, the report pipe behind them, and closes everything else. Returns the pipe's new number.
static int place_descriptors(struct keeper *k, int report) {
    int high[GG_LISTENERS_MAX];
    int floor = 4 + GG_LISTENERS_MAX;
    report = fcntl(report, F_DUPFD_CLOEXEC, floor);
    if (report < 0) return -1;
    int count = (int)k->listener_count;
    for (int i = 0; i < count; i++) {
        high[i] = fcntl(k->listeners[i], F_DUPFD_CLOEXEC, floor);
        if (high[i] < 0) return -1;
    }
    for (int i = 0; i < count; i++) if (dup2(high[i], 3 + i) < 0) return -1;
    int last = 3 + count;
    if (dup3(report, last, O_CLOEXEC) < 0) return -1;
    if (syscall(SYS_close_range, (unsigned)last + 1, ~0u, 0u) < 0) {
        // Kernels before 5.9.
        struct rlimit limit;
        int end = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 1u << 20 ? (int)limit.rlim_cur : 1 << 20;
        for (int i = last + 1; i < end; i++) close(i);
    }
    return last;
}

/// Tries each directory of PATH. execvp is not used: it runs files without a known format by a shell.
static void execute(const struct instructions *told) {
    const char *program = told->arguments[0];
    if (strchr(program, '/') != NULL) {
        execve(program, told->arguments, told->environment);
        return;
    }
    const char *path = "/usr/local/bin:/usr/bin:/bin";
    for (char **e = told->environment; *e != NULL; e++) if (strncmp(*e, "PATH=", 5) == 0) path = *e + 5;
    int worst = ENOENT;
    while (*path) {
        size_t length = strcspn(path, ":");
        char full[4096];
        if (length > 0 && length + strlen(program) + 2 <= sizeof full) {
            memcpy(full, path, length);
            full[length] = '/';
            strcpy(full + length + 1, program);
            execve(full, told->arguments, told->environment);
            if (errno != ENOENT && errno != ENOTDIR) worst = errno;
        }
        path += length + (path[length] == ':');
    }
    errno = worst;
}

static void join_cgroups(const struct keeper *k, int report) {
    for (size_t i = 0; i < k->told.cgroup_count; i++) {
        if (write(k->cgroup_procs[i], "0", 1) < 0) give_up(report, GG_STEP_CGROUP);
    }
}

static void reset_signals(void) {
    for (int s = 1; s < NSIG; s++) signal(s, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become_user(const struct instructions *told, int report) {
    if (!told->has_identity) return;
    if (setgroups(told->group_count, told->groups) < 0) give_up(report, GG_STEP_GROUPS);
    if (setresgid(told->group, told->group, told->group) < 0) give_up(report, GG_STEP_GROUP);
    if (setresuid(told->user, told->user, told->user) < 0) give_up(report, GG_STEP_USER);
}

_Noreturn static void child(struct keeper *k, int report, const int streams[2]) {
    const struct instructions *told = &k->told;
    reset_signals();
    join_cgroups(k, report);
    if (setsid() < 0) give_up(report, GG_STEP_SESSION);
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(streams[0], 1) < 0 || dup2(streams[1], 2) < 0) {
        give_up(report, GG_STEP_STREAMS);
    }
    // The keeper is no candidate for the OOM killer, its app is as any other process.
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) { ssize_t ignored = write(score, "0", 1); (void)ignored; }
    int placed = place_descriptors(k, report);
    if (placed < 0) give_up(report, GG_STEP_DESCRIPTORS);
    report = placed;
    for (size_t i = 0; i < told->limit_count; i++) {
        if (setrlimit((__rlimit_resource_t)told->limits[i].resource, &told->limits[i].value) < 0) {
            give_up(report, GG_STEP_LIMITS);
        }
    }
    umask(told->creation_mask);
    become_user(told, report);
    // If the keeper is killed, nobody could stop or log the app any more: it goes too. Set after the change of the
    // user, which clears it; the check closes the gap.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        give_up(report, GG_STEP_PRIVILEGES);
    }
    if (getppid() != k->state.keeper_pid) _exit(127);
    if (chdir(told->directory != NULL ? told->directory : "/") < 0) give_up(report, GG_STEP_DIRECTORY);
    format_pid(listen_pid, "LISTEN_PID=", getpid());
    format_pid(watchdog_pid, "WATCHDOG_PID=", getpid());
    execute(told);
    give_up(report, GG_STEP_EXECUTE);
}

/// Adds what only the keeper knows to the environment; the list has room for it.
static void complete_environment(struct keeper *k) {
    struct instructions *told = &k->told;
    size_t n = told->environment_count;
    if (k->notify >= 0) {
        snprintf(notify_socket, sizeof notify_socket, "NOTIFY_SOCKET=@%s", k->notify_name);
        told->environment[n++] = notify_socket;
    }
    if (told->watchdog_us > 0) {
        snprintf(watchdog_us, sizeof watchdog_us, "WATCHDOG_USEC=%llu", (unsigned long long)told->watchdog_us);
        told->environment[n++] = watchdog_us;
        told->environment[n++] = watchdog_pid;
    }
    if (k->listener_count > 0) {
        snprintf(listen_fds, sizeof listen_fds, "LISTEN_FDS=%u", (unsigned)k->listener_count % 100);
        size_t used = (size_t)snprintf(listen_names, sizeof listen_names, "LISTEN_FDNAMES=");
        for (size_t i = 0; i < told->listener_name_count && used < sizeof listen_names; i++) {
            used += (size_t)snprintf(listen_names + used, sizeof listen_names - used, "%s%s", i > 0 ? ":" : "",
                                     told->listener_names[i]);
        }
        told->environment[n++] = listen_fds;
        told->environment[n++] = listen_pid;
        told->environment[n++] = listen_names;
    }
    told->environment[n] = NULL;
}

int child_start(struct keeper *k) {
    int report[2], out[2], err[2];
    if (pipe2(report, O_CLOEXEC) < 0) return -errno;
    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0) return -errno;
    // A larger pipe lets the app go on while the disk is slow; the default will do where it is refused.
    fcntl(out[0], F_SETPIPE_SZ, 256 * 1024);
    fcntl(err[0], F_SETPIPE_SZ, 256 * 1024);
    complete_environment(k);
    k->started_ns = monotonic_ns();
    pid_t pid = fork();
    if (pid < 0) return -errno;
    if (pid == 0) child(k, report[1], (int[2]){ out[1], err[1] });
    close(report[1]);
    close(out[1]);
    close(err[1]);
    for (size_t i = 0; i < k->told.cgroup_count; i++) close(k->cgroup_procs[i]);
    int streams[2] = { out[0], err[0] };
    for (int i = 0; i < 2; i++) {
        fcntl(streams[i], F_SETFL, O_NONBLOCK);
        k->log.streams[i].descriptor = streams[i];
    }
    fcntl(report[0], F_SETFL, O_NONBLOCK);
    k->exec_result = report[0];
    k->state.app_pid = pid;
    k->state.phase = GG_PHASE_FORKED;
    process_stat(pid, &(pid_t){ 0 }, &(pid_t){ 0 }, &k->state.app_start_ticks);
    return 0;
}
