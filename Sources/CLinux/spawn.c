#define _GNU_SOURCE 1
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "retry.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

/// From `first` on, every descriptor closes at exec. Kernels without close_range(2) rely on each descriptor's own flag.
static void close_on_exec_from(int first) {
#ifdef SYS_close_range
    (void)syscall(SYS_close_range, (unsigned)first, ~0U, CLOSE_RANGE_CLOEXEC);
#endif
}

static void reset_signals(void) {
    struct sigaction standard = { .sa_handler = SIG_DFL };
    for (int s = 1; s < 32; s++) if (s != SIGKILL && s != SIGSTOP) sigaction(s, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int set_limit(int resource, int64_t value) {
    if (value < 0) return 0;
    struct rlimit limit = { .rlim_cur = (rlim_t)value, .rlim_max = (rlim_t)value };
    return setrlimit(resource, &limit);
}

/// The limit that this process was started with, once it has raised its own.
static rlim_t former_descriptors_max;
static int has_raised_descriptors_max;

int cs_raise_descriptors_max(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    if (limit.rlim_cur < limit.rlim_max) {
        if (!has_raised_descriptors_max) former_descriptors_max = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
        has_raised_descriptors_max = 1;
    }
    return 0;
}

int64_t cs_descriptors_max(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    return limit.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)limit.rlim_cur;
}

int64_t cs_descriptors_hard_max(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    return limit.rlim_max > INT32_MAX ? INT32_MAX : (int64_t)limit.rlim_max;
}

/// A child gets the limit that this process was started with: programs that use select(2) cannot live with another.
static void lower_descriptors_max(void) {
    struct rlimit limit;
    if (!has_raised_descriptors_max || getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
    limit.rlim_cur = former_descriptors_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/// In the child: nothing here allocates or takes a lock. Returns only on failure, with errno set.
static void become(const struct cs_spawn *what) {
    if (what->channel >= 0) {
        if (what->channel == 3) { if (fcntl(3, F_SETFD, 0) < 0) return; }
        else if (dup2(what->channel, 3) < 0) return;
    }
    close_on_exec_from(what->channel >= 0 ? 4 : 3);
    for (int i = 0; i < what->inherited_count; i++) if (fcntl(what->inherited[i], F_SETFD, 0) < 0) return;
    reset_signals();
    lower_descriptors_max();
    // A limit that cannot be had is not worth a worker.
    (void)set_limit(RLIMIT_NOFILE, what->descriptors_max);
    (void)set_limit(RLIMIT_CORE, what->core_bytes_max);
    if (what->directory != NULL && chdir(what->directory) < 0) return;
    if (what->executable >= 0) {
        syscall(SYS_execveat, what->executable, "", what->arguments, what->environment, AT_EMPTY_PATH);
        // A script cannot be executed by a descriptor that closes at exec; a kernel or sandbox may lack execveat.
        if (errno != ENOENT && errno != ENOEXEC && errno != ENOSYS && errno != EPERM) return;
    }
    execve(what->path, what->arguments, what->environment);
}

pid_t cs_spawn(const struct cs_spawn *what) {
    int report[2];
    // The channel goes to descriptor 3: the program must not stand there.
    if (what->executable == 3 && what->channel >= 0) return -EINVAL;
    if (pipe2(report, O_CLOEXEC) < 0) return -errno;
    if (report[1] == 3) {
        // Descriptor 3 is where the channel goes.
        int moved = fcntl(report[1], F_DUPFD_CLOEXEC, 4), error = errno;
        close(report[1]);
        if (moved < 0) { close(report[0]); return -error; }
        report[1] = moved;
    }
    pid_t child = fork();
    if (child < 0) {
        int error = errno;
        close(report[0]); close(report[1]);
        return -error;
    }
    if (child == 0) {
        become(what);
        int error = errno;
        (void)!write(report[1], &error, sizeof error);
        _exit(127);
    }
    close(report[1]);
    int error = 0;
    ssize_t n = CS_RETRY(read(report[0], &error, sizeof error));
    close(report[0]);
    if (n != sizeof error) return child;
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) { }
    return -error;
}

int cs_reap(struct cs_exit *out) {
    int status;
    pid_t p = (pid_t)CS_RETRY(waitpid(-1, &status, WNOHANG));
    if (p == 0 || p == -ECHILD) return 0;
    if (p < 0) return (int)p;
    *out = (struct cs_exit){ .process = p, .exited = WIFEXITED(status) };
    if (WIFEXITED(status)) out->code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) { out->signal = WTERMSIG(status); out->core_dumped = WCOREDUMP(status) ? 1 : 0; }
    return 1;
}

int cs_signal_descriptor(const int *signals, int count) {
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGSYS, &ignore, NULL);
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) {
        // An inherited "ignore" (nohup, a careless parent) would drop the signal before the descriptor sees it.
        struct sigaction standard = { .sa_handler = SIG_DFL };
        sigaction(signals[i], &standard, NULL);
        sigaddset(&set, signals[i]);
    }
    if (sigprocmask(SIG_SETMASK, &set, NULL) < 0) return -errno;
    int r = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return r < 0 ? -errno : r;
}

int cs_read_signal(int fd, int *number, int *sender) {
    struct signalfd_siginfo info;
    ssize_t n = CS_RETRY(read(fd, &info, sizeof info));
    if (n == -EAGAIN) return 0;
    if (n < 0) return (int)n;
    if (n != sizeof info) return -EIO;
    *number = (int)info.ssi_signo;
    // si_code > 0 means that the kernel sent it; for SIGCHLD the kernel still names the child.
    *sender = info.ssi_code > 0 && info.ssi_signo != SIGCHLD ? 0 : (int)info.ssi_pid;
    return 1;
}
