// goodgate-launch: the keeper of one app instance.
//
// It is the parent and subreaper of the app: forks it, holds its output, its notify socket and its exit status, ends
// it with all its descendants, and tells the supervisor, or the next supervisor, by whom it lets itself be found on a
// unix socket. It outlives the supervisor, so that the app does. One thread, one poll, no allocation after the start.
#include "keeper.h"
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000ull
/// Time between two scans for processes that are still to be killed.
#define SWEEP_NS (20 * MS)
/// Shortest time between two reports of which only the number of lines is new.
#define LINES_NS (1000 * MS)

static struct keeper keeper;

uint64_t monotonic_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool has_process(const struct keeper *k) {
    uint32_t phase = k->state.phase;
    return phase == GG_PHASE_FORKED || phase == GG_PHASE_RUNNING || phase == GG_PHASE_EXITED;
}

/// Processes that the app left when it ended: those that a sweep found, and those that ended with it in its group.
static void note_left(struct keeper *k, uint32_t found) {
    uint32_t left = found + k->left_collected;
    if (k->state.phase == GG_PHASE_EXITED && left > k->state.processes_left) k->state.processes_left = left;
}

void keeper_kill(struct keeper *k) {
    if (!has_process(k)) return;
    k->is_killing = true;
    note_left(k, tree_kill(k));
    k->sweep_at_ns = monotonic_ns() + SWEEP_NS;
}

void keeper_stop(struct keeper *k, int signal, uint32_t kill_after_ms) {
    if (!has_process(k)) return;
    k->state.stop_ordered = 1;          // the rest of the group, too, may end by itself until the deadline
    uint64_t deadline = monotonic_ns() + kill_after_ms * MS;
    if (k->kill_at_ns == 0 || deadline < k->kill_at_ns) k->kill_at_ns = deadline;
    // Not collected yet, so that the group's number is still its own.
    if (k->state.phase != GG_PHASE_EXITED && signal > 0 && kill(-k->state.app_pid, signal) < 0) {
        kill(k->state.app_pid, signal);
    }
    // A stopped process (SIGSTOP, a debugger that went away) would get its signal only when it goes on.
    if (k->state.phase != GG_PHASE_EXITED && signal > 0) kill(-k->state.app_pid, SIGCONT);
}

/// No descendant is left: the last words, the cgroup's end.
static void become_empty(struct keeper *k) {
    log_finish(k);
    cgroup_remove(k);
    k->is_empty = true;
    k->is_killing = false;
    k->kill_at_ns = k->sweep_at_ns = 0;
    if (k->state.phase == GG_PHASE_FAILED) return;
    k->state.phase = GG_PHASE_EMPTY;
    k->changes |= GG_CHANGED_EMPTIED;
}

static void main_exited(struct keeper *k, int status, const struct rusage *usage) {
    k->state.runtime_ns = monotonic_ns() - k->started_ns;
    k->state.wait_status = status;
    k->state.peak_rss_bytes = (uint64_t)usage->ru_maxrss * 1024;
    k->state.oom_kills = cgroup_oom_kills(k);
    if (k->state.phase == GG_PHASE_FAILED) return;
    k->state.phase = GG_PHASE_EXITED;
    k->changes |= GG_CHANGED_EXITED;
    channel_report(k);                  // before anything else: from now on no request may go there
}

/// Collects all children that ended.
static void reap(struct keeper *k) {
    bool is_group_killed = false;
    for (;;) {
        // If the app ended by itself, the rest of its group goes with it. While it is not collected, nobody else can
        // have its number.
        siginfo_t peek = { 0 };
        bool is_main = k->state.phase == GG_PHASE_RUNNING
            && waitid(P_PID, (id_t)k->state.app_pid, &peek, WEXITED | WNOHANG | WNOWAIT) == 0 && peek.si_pid != 0;
        if (is_main && k->state.stop_ordered == 0) {
            kill(-k->state.app_pid, SIGKILL);
            is_group_killed = true;
        }
        int status;
        struct rusage usage;
        pid_t pid = wait4(-1, &status, WNOHANG, &usage);
        if (pid < 0 && errno == EINTR) continue;
        if (pid < 0) {
            note_left(k, 0);
            if (k->state.phase == GG_PHASE_EXITED || k->state.phase == GG_PHASE_FAILED) become_empty(k);
            return;
        }
        if (pid == 0) break;
        if (pid == k->state.app_pid) main_exited(k, status, &usage);
        else if (is_group_killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) k->left_collected++;
    }
    if (k->state.phase == GG_PHASE_EXITED && k->state.stop_ordered == 0) keeper_kill(k);
}

/// The pipe of the child: an error, or its end by a successful exec.
static void exec_decided(struct keeper *k) {
    struct { uint32_t step; int32_t error; } failure;
    ssize_t n = read(k->exec_result, &failure, sizeof failure);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    close(k->exec_result);
    k->exec_result = -1;
    if (n == (ssize_t)sizeof failure) {
        k->state.phase = GG_PHASE_FAILED;
        k->state.failed_step = failure.step;
        k->state.failed_errno = failure.error;
        k->changes |= GG_CHANGED_FAILED;
    } else {
        k->state.phase = GG_PHASE_RUNNING;
        k->changes |= GG_CHANGED_STARTED;
    }
    reap(k);                            // it may have ended in the meantime
}

static void take_signals(struct keeper *k) {
    struct signalfd_siginfo info;
    while (read(k->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCHLD) { if (k->exec_result < 0) reap(k); }
        else if (info.ssi_signo == SIGUSR1) log_reopen(k);
        else if (info.ssi_signo == SIGTERM) {
            keeper_stop(k, k->told.stop_default.signal, k->told.stop_default.kill_after_ms);
        }
    }
}

/// Does what is due and says when the next thing is.
static int timers(struct keeper *k) {
    uint64_t now = monotonic_ns(), next = UINT64_MAX;
    if (k->kill_at_ns != 0 && now >= k->kill_at_ns) {
        k->kill_at_ns = 0;
        keeper_kill(k);
    }
    if (k->is_killing && now >= k->sweep_at_ns) {
        keeper_kill(k);
        reap(k);
    }
    if (k->kill_at_ns != 0) next = k->kill_at_ns;
    if (k->is_killing && k->sweep_at_ns < next) next = k->sweep_at_ns;
    if (k->state.lines != k->lines_told && k->channel >= 0 && k->changes == 0) {
        uint64_t due = k->told_at_ns + LINES_NS;
        if (now >= due) k->changes |= GG_CHANGED_LINES;
        else if (due < next) next = due;
    }
    if (!has_process(k) && k->channel < 0) {
        if (k->orphaned_ns == 0) k->orphaned_ns = now;
        channel_close_listeners(k);     // nobody will serve what would wait there
        uint64_t end = k->orphaned_ns + k->told.orphan_seconds * 1000 * MS;
        if (now >= end) k->is_forgotten = true;
        if (end < next) next = end;
    } else {
        k->orphaned_ns = 0;
    }
    if (next == UINT64_MAX) return -1;
    if (next <= now) return 0;
    uint64_t ms = (next - now + MS - 1) / MS;
    return ms > 3600000 ? 3600000 : (int)ms;
}

/// Also a child that could not execute the app has to be collected: until then its cgroups cannot be removed.
static bool is_done(const struct keeper *k) {
    return k->is_forgotten && !has_process(k) && (k->state.phase != GG_PHASE_FAILED || k->is_empty);
}

static void run(struct keeper *k) {
    for (;;) {
        int timeout = timers(k);
        channel_report(k);
        channel_answer_owed(k);
        if (is_done(k)) return;
        struct stream *out = &k->log.streams[0], *err = &k->log.streams[1];
        short channel_events = POLLIN | (k->changes != 0 || k->answers_owed > 0 ? POLLOUT : 0);
        struct pollfd polled[] = {
            { .fd = k->signals, .events = POLLIN },
            { .fd = k->exec_result, .events = POLLIN },
            { .fd = k->channel, .events = channel_events },
            { .fd = k->listener, .events = POLLIN },
            { .fd = k->notify, .events = POLLIN },
            { .fd = out->descriptor, .events = POLLIN },
            { .fd = err->descriptor, .events = POLLIN },
        };
        if (poll(polled, sizeof polled / sizeof *polled, timeout) < 0) continue;
        // Notices before the end of their sender, so that a last STOPPING=1 is not taken for a stranger's.
        if (polled[4].revents != 0) notify_receive(k);
        if (polled[1].revents != 0) exec_decided(k);
        if (polled[0].revents != 0) take_signals(k);
        // Output before questions, so that an answer has what was written before it was asked for.
        if (polled[5].revents != 0 && out->descriptor >= 0) log_read(k, out);
        if (polled[6].revents != 0 && err->descriptor >= 0) log_read(k, err);
        if ((polled[2].revents & ~POLLOUT) != 0) channel_receive(k);
        if (polled[3].revents != 0) channel_accept(k);
    }
}

/// Prints the layout of the protocol, for the test that compares it with its mirror in Swift.
static int print_protocol(void) {
    printf("version %d\nheader %zu\nlaunch %zu\nstop %zu\nlines %zu\nstate %zu\n", GG_VERSION,
           sizeof(struct gg_header), sizeof(struct gg_launch), sizeof(struct gg_stop), sizeof(struct gg_lines),
           sizeof(struct gg_state));
    printf("magic %u\npacket_max %u\ninstructions_max %u\nlisteners_max %u\nname_max %u\nstatus_max %u\nchannel %u\n", GG_MAGIC,
           GG_PACKET_MAX, GG_INSTRUCTIONS_MAX, GG_LISTENERS_MAX, GG_NAME_MAX, GG_STATUS_MAX, GG_CHANNEL);
#define FIELD(name) printf("state." #name " %zu\n", offsetof(struct gg_state, name))
    FIELD(key); FIELD(changes); FIELD(phase); FIELD(keeper_pid); FIELD(app_pid); FIELD(app_start_ticks);
    FIELD(runtime_ns); FIELD(failed_step); FIELD(failed_errno); FIELD(wait_status); FIELD(oom_kills);
    FIELD(processes_left); FIELD(is_ready); FIELD(is_stopping); FIELD(foreign_notices); FIELD(lines);
    FIELD(lines_dropped); FIELD(log_errno); FIELD(slot); FIELD(peak_rss_bytes); FIELD(name); FIELD(status); FIELD(port);
    FIELD(stop_ordered);
#undef FIELD
    return 0;
}

/// Sends the failure of the keeper itself, and leaves nothing behind.
static int refuse(struct keeper *k, uint32_t step, int error) {
    k->state.phase = GG_PHASE_FAILED;
    k->state.failed_step = step;
    k->state.failed_errno = error;
    k->changes |= GG_CHANGED_FAILED;
    channel_report(k);
    if (step != GG_STEP_INSTRUCTIONS) cgroup_remove(k);
    if (k->listener >= 0) unlink(k->told.socket_path);
    return 1;
}

static int open_cgroups(struct keeper *k) {
    for (size_t i = 0; i < k->told.cgroup_count; i++) {
        char path[4096];
        if (snprintf(path, sizeof path, "%s/cgroup.procs", k->told.cgroups[i]) >= (int)sizeof path) return ENAMETOOLONG;
        k->cgroup_procs[i] = open(path, O_WRONLY | O_CLOEXEC);
        if (k->cgroup_procs[i] < 0) return errno;
    }
    return 0;
}

static void prepare_process(struct keeper *k) {
    setsid();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    k->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    umask(022);
    // The keeper is what knows how to stop the app: it should be the last to go when memory runs out. Only root may.
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) { ssize_t ignored = write(score, "-900", 4); (void)ignored; close(score); }
    if (chdir("/") < 0) return;
    // The supervisor's terminal or pipe must be able to close while the keeper lives.
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; i < 3 && null >= 0; i++) dup2(null, i);
}

/// Where the app was told to listen: a supervisor that takes it over may know of no state file.
static uint32_t told_port(const struct keeper *k) {
    unsigned long port = 0;
    for (size_t i = 0; i < k->told.environment_count; i++) {
        if (strncmp(k->told.environment[i], "PORT=", 5) == 0) port = strtoul(k->told.environment[i] + 5, NULL, 10);
    }
    return port <= 65535 ? (uint32_t)port : 0;
}

/// Whether the supervisor that ordered the start still lives. If it died before the keeper's socket was there, the next
/// one did not see this keeper and will start the app itself: it must not run twice. If it dies after this look, the
/// socket is there to be found.
static bool has_supervisor(const struct keeper *k) {
    struct pollfd channel = { .fd = k->channel, .events = POLLIN };
    return poll(&channel, 1, 0) < 1 || (channel.revents & POLLHUP) == 0;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--protocol") == 0) return print_protocol();
    struct keeper *k = &keeper;
    k->listener = k->notify = k->exec_result = k->log.descriptor = -1;
    k->log.streams[0] = (struct stream){ .descriptor = -1, .label = "out" };
    k->log.streams[1] = (struct stream){ .descriptor = -1, .label = "err" };
    k->channel = GG_CHANNEL;
    int type = 0;
    if (getsockopt(k->channel, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){ sizeof type }) < 0 || type != SOCK_SEQPACKET) {
        fprintf(stderr, "goodgate-launch is started by goodgate, with its instructions on descriptor %d.\n", GG_CHANNEL);
        return 2;
    }
    fcntl(k->channel, F_SETFD, FD_CLOEXEC);
    // The first message is waited for: without it there is nothing to do.
    fcntl(k->channel, F_SETFL, fcntl(k->channel, F_GETFL) & ~O_NONBLOCK);
    k->state.keeper_pid = getpid();
    prepare_process(k);
    int log_descriptor = -1;
    int error = channel_launch(k, &log_descriptor);
    if (error != 0) return refuse(k, GG_STEP_INSTRUCTIONS, error);
    fcntl(k->channel, F_SETFL, O_NONBLOCK);
    snprintf(k->state.name, sizeof k->state.name, "%s", k->told.name);
    k->state.slot = k->told.slot;
    k->state.port = told_port(k);
    if ((error = open_cgroups(k)) != 0) return refuse(k, GG_STEP_CGROUP, error);
    if ((error = -channel_listen(k)) != 0) return refuse(k, GG_STEP_SOCKET, error);
    if ((error = -notify_open(k)) != 0) return refuse(k, GG_STEP_SOCKET, error);
    if (log_descriptor >= 0) {
        k->log.descriptor = log_descriptor;
        k->log.is_passed = true;
    }
    log_open(k);
    if (!has_supervisor(k)) {
        cgroup_remove(k);
        unlink(k->told.socket_path);
        return 0;
    }
    if ((error = -child_start(k)) != 0) return refuse(k, GG_STEP_FORK, error);
    run(k);
    unlink(k->told.socket_path);
    return 0;
}
