// The channel to the supervisor, and the socket by which the next supervisor finds this keeper.
#include "keeper.h"
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int channel_listen(struct keeper *k) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = strlen(k->told.socket_path);
    if (length >= sizeof address.sun_path) return -ENAMETOOLONG;
    memcpy(address.sun_path, k->told.socket_path, length + 1);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    unlink(k->told.socket_path);
    mode_t mask = umask(0177);
    int result = bind(fd, (struct sockaddr *)&address, sizeof address);
    umask(mask);
    if (result < 0 || listen(fd, 4) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    k->listener = fd;
    return 0;
}

void channel_close(struct keeper *k) {
    if (k->channel >= 0) close(k->channel);
    k->channel = -1;
}

/// Sends one message with descriptors.
static ssize_t send_message(struct keeper *k, uint16_t kind, const void *body, size_t length, const int *descriptors,
                            size_t count) {
    struct gg_header header = { GG_MAGIC, GG_VERSION, kind, (uint32_t)length, 0 };
    struct iovec parts[2] = { { &header, sizeof header }, { (void *)body, length } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(int) * GG_LISTENERS_MAX)]; } control;
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(c), descriptors, sizeof(int) * count);
    }
    return sendmsg(k->channel, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void channel_accept(struct keeper *k) {
    int fd = accept4(k->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    struct ucred peer;
    socklen_t length = sizeof peer;
    bool is_allowed = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0
        && (peer.uid == 0 || peer.uid == geteuid());
    if (!is_allowed) {
        close(fd);
        return;
    }
    // The newest supervisor is the right one: an upgrade starts the new one while the old one still lives.
    if (k->channel >= 0) send_message(k, GG_RELEASED, NULL, 0, NULL, 0);
    channel_close(k);
    k->channel = fd;
    k->answers_owed = 0;
    uint32_t known = k->state.phase == GG_PHASE_FAILED ? GG_CHANGED_FAILED : 0;
    if (k->state.phase >= GG_PHASE_RUNNING && k->state.phase <= GG_PHASE_EMPTY) known |= GG_CHANGED_STARTED;
    if (k->state.is_ready) known |= GG_CHANGED_READY;
    if (k->state.is_stopping) known |= GG_CHANGED_STOPPING;
    if (k->state.phase == GG_PHASE_EXITED || k->state.phase == GG_PHASE_EMPTY) known |= GG_CHANGED_EXITED;
    if (k->state.phase == GG_PHASE_EMPTY) known |= GG_CHANGED_EMPTIED;
    k->changes |= known | GG_CHANGED_STATUS;
}

void channel_report(struct keeper *k) {
    if (k->changes == 0 || k->channel < 0) return;
    k->state.changes = k->changes;
    uint32_t phase = k->state.phase;
    if (phase == GG_PHASE_RUNNING || phase == GG_PHASE_FORKED) k->state.runtime_ns = monotonic_ns() - k->started_ns;
    if (send_message(k, GG_STATE, &k->state, sizeof k->state, NULL, 0) < 0) return;
    k->changes = 0;
    k->lines_told = k->state.lines;
    k->told_at_ns = monotonic_ns();
}

/// Sends one answer to each request for lines, in their order: one that cannot be had is empty, one that finds no room comes later.
static void answer_lines(struct keeper *k, const struct gg_lines *request) {
    struct gg_lines answer = { 0 };
    int fd = k->answers_owed > 0 ? -1 : log_last_lines(k, request->count, &answer);
    if (fd < 0) {
        k->answers_owed++;
        channel_answer_owed(k);
        return;
    }
    if (send_message(k, GG_LINES, &answer, sizeof answer, &fd, 1) < 0) k->answers_owed++;
    close(fd);
}

void channel_answer_owed(struct keeper *k) {
    struct gg_lines nothing = { 0 };
    while (k->answers_owed > 0 && send_message(k, GG_LINES, &nothing, sizeof nothing, NULL, 0) >= 0) k->answers_owed--;
}

void channel_close_listeners(struct keeper *k) {
    for (size_t i = 0; i < k->listener_count; i++) close(k->listeners[i]);
    k->listener_count = 0;
}

/// Copies what came of a structure; the rest is zero.
static void copy_body(void *out, size_t size, const struct gg_header *header, const char *body) {
    memset(out, 0, size);
    memcpy(out, body, header->length < size ? header->length : size);
}

static void obey(struct keeper *k, const struct gg_header *header, const char *body) {
    struct gg_stop stop;
    struct gg_lines lines;
    switch (header->kind) {
    case GG_STOP:
        copy_body(&stop, sizeof stop, header, body);
        keeper_stop(k, stop.signal, stop.kill_after_ms);
        break;
    case GG_KILL: keeper_kill(k); break;
    case GG_LINES:
        copy_body(&lines, sizeof lines, header, body);
        answer_lines(k, &lines);
        break;
    case GG_REOPEN: log_reopen(k); break;
    case GG_FORGET: k->is_forgotten = true; break;
    case GG_STATUS: k->changes |= GG_CHANGED_STATUS; break;
    case GG_LISTENERS:
        lines = (struct gg_lines){ .count = (uint32_t)k->listener_count };
        send_message(k, GG_LISTENERS, &lines, sizeof lines, k->listeners, k->listener_count);
        break;
    default: break;                     // of a newer supervisor
    }
}

/// Whether a packet is a whole message of this version.
static bool is_valid(const char *packet, ssize_t length, struct gg_header *header) {
    if (length < (ssize_t)sizeof *header) return false;
    memcpy(header, packet, sizeof *header);
    return header->magic == GG_MAGIC && header->version == GG_VERSION
        && header->length == (size_t)length - sizeof *header;
}

void channel_receive(struct keeper *k) {
    for (int i = 0; i < 16 && k->channel >= 0; i++) {
        char packet[GG_PACKET_MAX];
        struct gg_header header;
        ssize_t n = recv(k->channel, packet, sizeof packet, MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
        // A supervisor that closed without having read everything: its last orders are still to be read.
        if (n < 0 && errno == ECONNRESET) continue;
        if (n <= 0) {
            channel_close(k);
            return;
        }
        if (n <= (ssize_t)sizeof packet && is_valid(packet, n, &header)) obey(k, &header, packet + sizeof header);
    }
}

/// Maps the instructions for the life of the keeper and reads them.
static int map_instructions(struct keeper *k, int fd) {
    struct stat status;
    if (fstat(fd, &status) < 0) return errno;
    if (status.st_size <= 0 || status.st_size > GG_INSTRUCTIONS_MAX) return EMSGSIZE;
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) return errno;
    return instructions_read(&k->told, bytes, (size_t)status.st_size);
}

int channel_launch(struct keeper *k, int *log_descriptor) {
    char packet[GG_PACKET_MAX];
    union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(int) * (GG_LISTENERS_MAX + 2))]; } control;
    struct iovec vector = { packet, sizeof packet };
    struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes,
                              .msg_controllen = sizeof control.bytes };
    ssize_t n;
    do { n = recvmsg(k->channel, &message, MSG_CMSG_CLOEXEC); } while (n < 0 && errno == EINTR);
    if (n < 0) return errno;
    struct gg_header header;
    struct gg_launch launch;
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || !is_valid(packet, n, &header)) return EPROTO;
    if (header.kind != GG_LAUNCH || header.length < sizeof launch) return EPROTO;
    memcpy(&launch, packet + sizeof header, sizeof launch);
    k->state.key = launch.key;
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) return EPROTO;
    int descriptors[GG_LISTENERS_MAX + 2];
    size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    if (launch.listeners > GG_LISTENERS_MAX || count != 1 + launch.listeners + (launch.has_log != 0)) return EPROTO;
    memcpy(descriptors, CMSG_DATA(c), count * sizeof(int));
    for (size_t i = 0; i < launch.listeners; i++) k->listeners[k->listener_count++] = descriptors[1 + i];
    if (launch.has_log) *log_descriptor = descriptors[count - 1];
    int error = map_instructions(k, descriptors[0]);
    close(descriptors[0]);
    return error;
}
