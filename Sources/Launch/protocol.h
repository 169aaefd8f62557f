// What the supervisor and the keeper of one app instance say to each other.
// Mirrored in Sources/Supervisor/Apps/KeeperProtocol.swift; a test compares both by `goodgate-launch --protocol`.
//
// The channel is a SOCK_SEQPACKET unix socket: inherited as descriptor 3 at first, accepted from the keeper's own socket
// after a restart of the supervisor. One packet is one message: a header, then the structure that belongs to its kind.
// Numbers are in host order. A newer side may append fields to a structure: read as many bytes as `length` says, take
// what is missing as zero. A change that is not an addition raises GG_VERSION.
//
// The keeper answers with its whole state, never with single events: `changes` says what is new. So nothing is lost
// when the channel is full or nobody reads: the next packet tells all.
#pragma once
#include <stdint.h>

#define GG_MAGIC 0x4b504747u            // "GGPK"
#define GG_VERSION 1
#define GG_CHANNEL 3                    // descriptor of the first channel
#define GG_PACKET_MAX 1024
#define GG_INSTRUCTIONS_MAX (4u << 20)
#define GG_LISTENERS_MAX 32
#define GG_NAME_MAX 64                  // with the final NUL
#define GG_STATUS_MAX 128               // with the final NUL

struct gg_header {
    uint32_t magic;
    uint16_t version;
    uint16_t kind;
    uint32_t length;                    // of what follows
    uint32_t reserved;
};

// --- supervisor to keeper ---
enum {
    GG_LAUNCH = 1,                      // gg_launch; descriptors: instructions (memfd), listeners, log if announced
    GG_STOP = 2,                        // gg_stop: signal the group, kill it after a time
    GG_KILL = 3,                        // kill everything of the instance
    GG_LINES = 5,                       // gg_lines: the last lines; each answered by GG_LINES, with a memfd if they can be had
    GG_REOPEN = 6,                      // open the log file anew
    GG_FORGET = 7,                      // the end was read: go when nothing is left
    GG_STATUS = 8,                      // say the state
    GG_LISTENERS = 9,                   // give the app's listeners back; answered by GG_LISTENERS with their descriptors
};

struct gg_launch { uint64_t key; uint32_t listeners; uint32_t has_log; };
struct gg_stop { int32_t signal; uint32_t kill_after_ms; };
/// Request: most lines wanted. Answer: lines and bytes, and how many lines there ever were, modulo 2^32.
struct gg_lines { uint32_t count; uint32_t total; uint64_t bytes; };

// --- keeper to supervisor ---
enum {
    GG_STATE = 64,                      // gg_state
    GG_RELEASED = 65,                   // nothing follows: another supervisor has connected, this channel closes
};

enum {                                  // gg_state.changes
    GG_CHANGED_STARTED = 1,
    GG_CHANGED_FAILED = 2,
    GG_CHANGED_READY = 4,               // READY=1
    GG_CHANGED_STOPPING = 8,            // STOPPING=1
    GG_CHANGED_RELOADING = 16,          // RELOADING=1
    GG_CHANGED_WATCHDOG = 32,           // WATCHDOG=1
    GG_CHANGED_STATUS = 64,             // STATUS=…
    GG_CHANGED_EXITED = 128,
    GG_CHANGED_EMPTIED = 256,
    GG_CHANGED_LOG = 512,               // lines began or ceased to be dropped
    GG_CHANGED_LINES = 1024,            // the app wrote lines; told once a second at most
};

enum {                                  // gg_state.phase
    GG_PHASE_WAITING = 0,               // no instructions yet
    GG_PHASE_FORKED = 1,                // exec has not happened yet
    GG_PHASE_RUNNING = 2,
    GG_PHASE_EXITED = 3,                // the main process is gone, others of the instance are not
    GG_PHASE_EMPTY = 4,                 // nothing is left
    GG_PHASE_FAILED = 5,                // there was no process; failed_step says why
};

enum {                                  // gg_state.failed_step; StartFailure.Step in Swift
    GG_STEP_PREPARE = 0,
    GG_STEP_INSTRUCTIONS = 1,
    GG_STEP_SOCKET = 2,
    GG_STEP_FORK = 3,
    GG_STEP_CGROUP = 4,
    GG_STEP_SESSION = 5,
    GG_STEP_STREAMS = 6,
    GG_STEP_DESCRIPTORS = 7,
    GG_STEP_LIMITS = 8,
    GG_STEP_GROUPS = 9,
    GG_STEP_GROUP = 10,
    GG_STEP_USER = 11,
    GG_STEP_PRIVILEGES = 12,
    GG_STEP_DIRECTORY = 13,
    GG_STEP_EXECUTE = 14,
};

struct gg_state {
    uint64_t key;                       // of gg_launch
    uint32_t changes;
    uint32_t phase;
    int32_t keeper_pid;
    int32_t app_pid;                    // 0: none yet
    uint64_t app_start_ticks;           // /proc/PID/stat, field 22
    uint64_t runtime_ns;                // from fork to now or to the end
    uint32_t failed_step;
    int32_t failed_errno;
    int32_t wait_status;                // as wait(2) gives it
    uint32_t oom_kills;
    uint32_t processes_left;            // killed after the end of the main process
    uint32_t is_ready;                  // READY=1 came at some time
    uint32_t is_stopping;               // STOPPING=1 came
    uint32_t foreign_notices;           // datagrams to the notify socket from strangers, ignored
    uint64_t lines;                     // written by the app so far
    uint64_t lines_dropped;             // of these not in the log
    int32_t log_errno;                  // why lines are being dropped; 0: they are not
    uint32_t slot;
    uint64_t peak_rss_bytes;            // of the main process, once it ended
    char name[GG_NAME_MAX];
    char status[GG_STATUS_MAX];
    uint32_t port;                      // PORT of its environment; 0: it has none, or a keeper of an older version
    uint32_t stop_ordered;              // a supervisor told it to end the app
};

// --- instructions: header (kind GG_LAUNCH), then entries, each padded to 8 bytes ---
struct gg_entry { uint16_t tag; uint16_t reserved; uint32_t length; };

enum {
    GG_NAME = 1,                        // NUL-terminated, as all strings
    GG_SLOT = 2,                        // uint32
    GG_ARGUMENT = 3,                    // repeated, in order
    GG_ENVIRONMENT = 4,                 // repeated, NAME=VALUE
    GG_DIRECTORY = 5,
    GG_IDENTITY = 6,                    // uint32 uid, gid, supplementary groups …; missing: no change
    GG_UMASK = 7,                       // uint32
    GG_LIMIT = 8,                       // repeated: uint64 resource, soft, hard
    GG_CGROUP = 9,                      // repeated: directory that the instance joins, owned by it, removed at the end
    GG_SOCKET_PATH = 10,                // where the keeper listens for the next supervisor
    GG_LOG_PATH = 11,
    GG_LOG_ROTATION = 12,               // uint64 bytes, uint64 files to keep
    GG_LISTENER_NAME = 13,              // repeated, as many as listeners, for LISTEN_FDNAMES
    GG_WATCHDOG = 14,                   // uint64 microseconds: WATCHDOG_USEC, WATCHDOG_PID
    GG_STOP_DEFAULT = 15,               // gg_stop: what SIGTERM to the keeper does
    GG_ORPHAN_TIME = 16,                // uint64 seconds: without a supervisor, keep the result of an ended app so long
};
