// The keeper's own state: one process, one thread, one instance, everything in one structure.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "protocol.h"
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#define CGROUPS_MAX 4
#define LIMITS_MAX 16
#define GROUPS_MAX 256
#define LINE_MAX_BYTES 16384            // longer lines are cut into pieces
#define RING_LINES 200
#define RING_BYTES (256 * 1024)

/// Everything the instructions say; strings point into the mapped memfd.
struct instructions {
    const char *name;
    uint32_t slot;
    char **arguments;
    char **environment;                 // with room for the entries that only the keeper knows
    size_t environment_count;
    const char *directory;
    bool has_identity;
    uid_t user;
    gid_t group;
    gid_t groups[GROUPS_MAX];
    size_t group_count;
    mode_t creation_mask;
    struct { int resource; struct rlimit value; } limits[LIMITS_MAX];
    size_t limit_count;
    const char *cgroups[CGROUPS_MAX];
    size_t cgroup_count;
    const char *socket_path;
    const char *log_path;
    uint64_t log_rotate_bytes;
    uint64_t log_keep;
    const char *listener_names[GG_LISTENERS_MAX];
    size_t listener_name_count;
    uint64_t watchdog_us;
    struct gg_stop stop_default;
    uint64_t orphan_seconds;
};

/// A stream of the app: what was read of a line that has not ended yet.
struct stream {
    int descriptor;                     // -1: closed
    const char *label;
    size_t length;
    bool is_continued;                  // an earlier piece of this line was written already
    char bytes[LINE_MAX_BYTES];
};

/// Where lines go.
struct log {
    int descriptor;                     // -1: none, or it could not be opened
    bool is_regular;
    bool is_passed;                     // came as a descriptor, there is no path to open anew
    bool is_torn;                       // the last write ended within a line
    uint64_t retry_at_ns;
    uint64_t dropped_in_row;
    struct stream streams[2];
    size_t pending;
    size_t pending_lines;
    char output[64 * 1024];
    // The last lines: a ring of bytes and, per line, where it starts.
    char ring[RING_BYTES];
    uint64_t ring_end;                  // bytes ever put in
    uint64_t starts[RING_LINES];
    uint64_t line_count;                // lines ever put in
};

struct keeper {
    struct instructions told;
    struct gg_state state;
    uint32_t changes;                   // not told to the supervisor yet
    int channel;                        // -1: no supervisor
    uint64_t lines_told;                // number of lines that the supervisor knows of
    uint64_t told_at_ns;                // when it was last told anything
    uint32_t answers_owed;              // requests for lines without an answer yet
    int listener;
    int notify;
    int signals;
    int exec_result;                    // -1 once exec is decided
    int listeners[GG_LISTENERS_MAX];
    size_t listener_count;
    int cgroup_procs[CGROUPS_MAX];
    char notify_name[64];
    bool is_forgotten;
    bool is_killing;
    bool is_empty;                      // no child is left, and the cgroups are gone
    uint64_t started_ns;
    uint64_t kill_at_ns;                // 0: never
    uint64_t sweep_at_ns;               // next attempt to kill what is left
    uint32_t left_collected;            // processes of its group that were killed and collected together with the app
    uint64_t orphaned_ns;               // since when there is neither an app nor a supervisor
    struct log log;
};

// instructions.c
/// Reads the mapped instructions; 0 or an errno.
int instructions_read(struct instructions *told, const void *bytes, size_t length);

// child.c
/// Forks the app. Returns 0, or a negative errno; later failures come through `exec_result`.
int child_start(struct keeper *k);

// channel.c
int channel_listen(struct keeper *k);
void channel_accept(struct keeper *k);
void channel_receive(struct keeper *k);
/// Sends the state if there is news; keeps the news if the channel is full or missing.
void channel_report(struct keeper *k);
/// Sends the answers that are owed, as far as there is room.
void channel_answer_owed(struct keeper *k);
void channel_close(struct keeper *k);
/// Takes the very first message: instructions and descriptors. 0 or an errno.
int channel_launch(struct keeper *k, int *log_descriptor);
/// Closes the app's listeners, so that clients are refused instead of left waiting.
void channel_close_listeners(struct keeper *k);

// notify.c
int notify_open(struct keeper *k);
void notify_receive(struct keeper *k);

// tree.c
/// Fields of /proc/PID/stat; false when there is no such process.
bool process_stat(pid_t pid, pid_t *parent, pid_t *session, uint64_t *start_ticks);
/// Whether `pid` is the app or descends from it, or from something it left to the keeper.
bool tree_contains(const struct keeper *k, pid_t pid);
/// Sends SIGKILL to all descendants and all members of the cgroups; returns how many were found.
uint32_t tree_kill(struct keeper *k);
uint32_t cgroup_oom_kills(const struct keeper *k);
void cgroup_remove(const struct keeper *k);

// log.c
void log_open(struct keeper *k);
void log_read(struct keeper *k, struct stream *s);
/// Reads what is left and writes lines that did not end.
void log_finish(struct keeper *k);
void log_reopen(struct keeper *k);
void log_flush(struct keeper *k);
/// A memfd with the last `count` lines, or -errno.
int log_last_lines(struct keeper *k, uint32_t count, struct gg_lines *answer);

// main.c
uint64_t monotonic_ns(void);
void keeper_stop(struct keeper *k, int signal, uint32_t kill_after_ms);
void keeper_kill(struct keeper *k);
