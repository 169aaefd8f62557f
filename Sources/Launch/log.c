// The app's output: lines are cut, stamped, kept in memory and written; what cannot be written is dropped and counted.
// Nothing here waits for a reader: regular files are written as they are, everything else only when it has room.
#include "keeper.h"
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/// Time between two attempts to open a log that cannot be opened.
#define RETRY_NS 1000000000ull
/// Bytes taken from one stream at a time, so that the other stream and the supervisor get their turn.
#define READ_MAX (1024 * 1024)
/// Bytes of a line's time, instance and stream.
#define HEAD_MAX 256

static void set_trouble(struct keeper *k, int error) {
    if ((k->state.log_errno != 0) != (error != 0)) k->changes |= GG_CHANGED_LOG;
    k->state.log_errno = error;
}

void log_open(struct keeper *k) {
    struct log *l = &k->log;
    if (!l->is_passed) {
        if (k->told.log_path == NULL) return;
        // Not through a symbolic link: the directory may belong to the app's user. Not waiting for a FIFO's reader.
        l->descriptor = open(k->told.log_path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                             0640);
        if (l->descriptor < 0) {
            set_trouble(k, errno);
            l->retry_at_ns = monotonic_ns() + RETRY_NS;
            return;
        }
    }
    struct stat status;
    l->is_regular = fstat(l->descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

static void open_anew(struct keeper *k) {
    struct log *l = &k->log;
    if (l->descriptor >= 0) close(l->descriptor);
    l->descriptor = -1;
    l->is_torn = false;
    log_open(k);
}

void log_reopen(struct keeper *k) {
    if (k->log.is_passed) return;
    log_flush(k);
    open_anew(k);
}

static bool is_rotated(const struct keeper *k) {
    return k->log.is_regular && !k->log.is_passed && k->told.log_rotate_bytes > 0;
}

/// Whether the open file still has its name.
static bool is_named(const struct keeper *k, const struct stat *open_file) {
    struct stat named_file;
    return lstat(k->told.log_path, &named_file) == 0 && named_file.st_ino == open_file->st_ino
        && named_file.st_dev == open_file->st_dev;
}

/// FILE → FILE.1 → … → FILE.keep. Several keepers may share a file: the one that gets the lock of the very file that
/// still has the name renames it; the others see that the name has moved on and only open it anew.
static void rotate(struct keeper *k) {
    struct log *l = &k->log;
    struct stat open_file;
    if (fstat(l->descriptor, &open_file) < 0 || (uint64_t)open_file.st_size < k->told.log_rotate_bytes) return;
    if (flock(l->descriptor, LOCK_EX | LOCK_NB) < 0) return;
    const char *path = k->told.log_path;
    if (is_named(k, &open_file)) {
        char from[4096], to[4096];
        for (uint64_t i = k->told.log_keep; i > 0; i--) {
            int n = i > 1 ? snprintf(from, sizeof from, "%s.%llu", path, (unsigned long long)(i - 1))
                          : snprintf(from, sizeof from, "%s", path);
            int m = snprintf(to, sizeof to, "%s.%llu", path, (unsigned long long)i);
            if (n >= (int)sizeof from || m >= (int)sizeof to) break;
            rename(from, to);
        }
        if (k->told.log_keep == 0) unlink(path);
    }
    close(l->descriptor);               // gives the lock back, too
    l->descriptor = -1;
    log_open(k);
}

/// Counts the lines of the part that was not written.
static void drop(struct keeper *k, const char *bytes, size_t length, int error) {
    uint64_t lines = 0;
    for (size_t i = 0; i < length; i++) lines += bytes[i] == '\n';
    k->state.lines_dropped += lines;
    k->log.dropped_in_row += lines;
    set_trouble(k, error);
}

/// Writes bytes, never waiting. Returns how many went; what did not is for the caller to drop.
static size_t write_some(struct log *l, const char *bytes, size_t length, int *error) {
    size_t done = 0;
    *error = 0;
    while (done < length) {
        size_t part = length - done;
        if (!l->is_regular) {
            // A pipe that polls writable takes PIPE_BUF bytes without blocking, also if it was not set to.
            if (part > 4096) part = 4096;
            struct pollfd ready = { .fd = l->descriptor, .events = POLLOUT };
            if (poll(&ready, 1, 0) <= 0 || (ready.revents & POLLOUT) == 0) { *error = EAGAIN; break; }
        }
        ssize_t n = write(l->descriptor, bytes + done, part);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) { *error = n < 0 ? errno : ENOSPC; break; }
        done += (size_t)n;
    }
    return done;
}

/// What each line begins with: 2026-11-22T10:08:34.123Z name.slot label. Returns its length, at most HEAD_MAX.
static int put_head(const struct keeper *k, const char *label, bool is_cut, char *text) {
    static time_t second = -1;
    static char stamp[32];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != second) {
        struct tm parts;
        gmtime_r(&now.tv_sec, &parts);
        strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &parts);
        second = now.tv_sec;
    }
    return snprintf(text, HEAD_MAX, "%s.%03ldZ %s.%u %s%s ", stamp, now.tv_nsec / 1000000, k->told.name, k->told.slot,
                    label, is_cut ? "+" : "");
}

void log_flush(struct keeper *k) {
    struct log *l = &k->log;
    size_t length = l->pending;
    l->pending = 0;
    if (length == 0) return;
    struct stat open_file;
    // Another keeper may have rotated it as often as files are kept: what is written into this one would be gone.
    if (l->descriptor >= 0 && is_rotated(k) && fstat(l->descriptor, &open_file) == 0 && !is_named(k, &open_file)) open_anew(k);
    if (l->descriptor < 0) {
        if (!l->is_passed && k->told.log_path != NULL && monotonic_ns() >= l->retry_at_ns) log_open(k);
        if (l->descriptor < 0) {
            if (k->told.log_path != NULL) drop(k, l->output, length, k->state.log_errno);
            return;
        }
    }
    int error;
    if (l->dropped_in_row > 0 || l->is_torn) {
        char note[2 * HEAD_MAX];
        int n = l->is_torn ? snprintf(note, sizeof note, "\n") : 0;
        n += put_head(k, "keeper", false, note + n);
        n += snprintf(note + n, sizeof note - (size_t)n, "%llu lines were not written: %s\n",
                      (unsigned long long)l->dropped_in_row, strerror(k->state.log_errno));
        size_t done = write_some(l, note, (size_t)n, &error);
        if (done < (size_t)n) {
            l->is_torn = l->is_torn || done > 0;
            drop(k, l->output, length, error);
            return;
        }
        l->is_torn = false;
        l->dropped_in_row = 0;
    }
    size_t done = write_some(l, l->output, length, &error);
    if (done < length) {
        l->is_torn = done > 0 && l->output[done - 1] != '\n';
        drop(k, l->output + done, length - done, error);
    } else {
        set_trouble(k, 0);
    }
    if (is_rotated(k)) rotate(k);
}

/// Keeps a formatted line among the last ones.
static void remember(struct log *l, const char *line, size_t length) {
    l->starts[l->line_count++ % RING_LINES] = l->ring_end;
    for (size_t done = 0; done < length;) {
        size_t at = (size_t)(l->ring_end % RING_BYTES);
        size_t part = RING_BYTES - at < length - done ? RING_BYTES - at : length - done;
        memcpy(l->ring + at, line + done, part);
        l->ring_end += part;
        done += part;
    }
}

/// Stamps a line.
static void put_line(struct keeper *k, const char *label, bool is_cut, const char *text, size_t length) {
    struct log *l = &k->log;
    static char line[LINE_MAX_BYTES + HEAD_MAX];
    int head = put_head(k, label, is_cut, line);
    memcpy(line + head, text, length);
    size_t total = (size_t)head + length;
    line[total++] = '\n';
    remember(l, line, total);
    if (l->pending + total > sizeof l->output) log_flush(k);
    memcpy(l->output + l->pending, line, total);
    l->pending += total;
}

/// Cuts what was read into lines.
static void take_bytes(struct keeper *k, struct stream *s, const char *bytes, size_t length) {
    while (length > 0) {
        size_t room = LINE_MAX_BYTES - s->length;
        size_t part = length < room ? length : room;
        const char *end = memchr(bytes, '\n', part);
        if (end != NULL) part = (size_t)(end - bytes);
        memcpy(s->bytes + s->length, bytes, part);
        s->length += part;
        bytes += part + (end != NULL);
        length -= part + (end != NULL);
        if (end != NULL) {
            size_t n = s->length - (s->length > 0 && s->bytes[s->length - 1] == '\r');
            put_line(k, s->label, false, s->bytes, n);
            k->state.lines++;
            s->length = 0;
        } else if (s->length == LINE_MAX_BYTES) {
            put_line(k, s->label, true, s->bytes, s->length);
            s->length = 0;
        }
    }
}

void log_read(struct keeper *k, struct stream *s) {
    static char bytes[64 * 1024];
    for (size_t total = 0; total < READ_MAX;) {
        ssize_t n = read(s->descriptor, bytes, sizeof bytes);
        if (n > 0) {
            take_bytes(k, s, bytes, (size_t)n);
            total += (size_t)n;
            continue;
        }
        if (n < 0 && errno == EINTR) continue;
        if (n == 0 || errno != EAGAIN) {
            close(s->descriptor);
            s->descriptor = -1;
        }
        break;
    }
    log_flush(k);
}

void log_finish(struct keeper *k) {
    for (int i = 0; i < 2; i++) {
        struct stream *s = &k->log.streams[i];
        // Nobody writes any more: what is in the pipe is all. A pipe is not larger than READ_MAX.
        if (s->descriptor >= 0) log_read(k, s);
        if (s->length > 0) {
            put_line(k, s->label, false, s->bytes, s->length);
            k->state.lines++;
            s->length = 0;
        }
    }
    log_flush(k);
}

int log_last_lines(struct keeper *k, uint32_t count, struct gg_lines *answer) {
    struct log *l = &k->log;
    int fd = memfd_create("goodgate-lines", MFD_CLOEXEC);
    if (fd < 0) return -errno;
    uint64_t lines = l->line_count < RING_LINES ? l->line_count : RING_LINES;
    if (count < lines) lines = count;
    uint64_t oldest = l->ring_end > RING_BYTES ? l->ring_end - RING_BYTES : 0;
    while (lines > 0 && l->starts[(l->line_count - lines) % RING_LINES] < oldest) lines--;
    uint64_t from = lines > 0 ? l->starts[(l->line_count - lines) % RING_LINES] : l->ring_end;
    *answer = (struct gg_lines){ .count = (uint32_t)lines, .total = (uint32_t)l->line_count, .bytes = l->ring_end - from };
    while (from < l->ring_end) {
        size_t at = (size_t)(from % RING_BYTES);
        uint64_t part = l->ring_end - from < RING_BYTES - at ? l->ring_end - from : RING_BYTES - at;
        ssize_t n = write(fd, l->ring + at, (size_t)part);
        if (n <= 0) { close(fd); return -EIO; }
        from += (uint64_t)n;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}
