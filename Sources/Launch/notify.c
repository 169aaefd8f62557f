// NOTIFY_SOCKET (sd_notify): datagrams of the app. It lies in the abstract name space, so that an app with another user
// needs no directory; who sends is decided by the credentials that the kernel attaches, not by who can reach it.
#include "keeper.h"
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int notify_open(struct keeper *k) {
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0) { int e = errno; close(fd); return -e; }
    for (unsigned attempt = 0; attempt < 100; attempt++) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int n = snprintf(k->notify_name, sizeof k->notify_name, "goodgate/%016llx/%u",
                         (unsigned long long)k->state.key, attempt);
        memcpy(address.sun_path + 1, k->notify_name, (size_t)n);
        socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
        if (bind(fd, (struct sockaddr *)&address, length) == 0) { k->notify = fd; return 0; }
        if (errno != EADDRINUSE) break;
    }
    int error = errno;
    close(fd);
    return -error;
}

/// Acts on one line, such as READY=1.
static void take_line(struct keeper *k, const char *line, size_t length) {
#define IS(text) (length == sizeof text - 1 && memcmp(line, text, length) == 0)
    if (IS("READY=1")) { k->state.is_ready = 1; k->changes |= GG_CHANGED_READY; }
    else if (IS("STOPPING=1")) { k->state.is_stopping = 1; k->changes |= GG_CHANGED_STOPPING; }
    else if (IS("RELOADING=1")) k->changes |= GG_CHANGED_RELOADING;
    else if (IS("WATCHDOG=1")) k->changes |= GG_CHANGED_WATCHDOG;
    else if (length > 7 && memcmp(line, "STATUS=", 7) == 0) {
        size_t n = length - 7 < GG_STATUS_MAX - 1 ? length - 7 : GG_STATUS_MAX - 1;
        memcpy(k->state.status, line + 7, n);
        k->state.status[n] = 0;
        k->changes |= GG_CHANGED_STATUS;
    }
#undef IS
}

/// The sender's process identifier, as the kernel attached it; 0: none.
static pid_t sender_of(struct msghdr *message) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS) continue;
        struct ucred credentials;
        memcpy(&credentials, CMSG_DATA(c), sizeof credentials);
        return credentials.pid;
    }
    return 0;
}

/// Closes what came along: BARRIER=1 waits for just that.
static void close_descriptors(struct msghdr *message) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            close(fd);
        }
    }
}

void notify_receive(struct keeper *k) {
    // Bounded: a flood of datagrams must not keep the keeper from its other duties.
    for (int i = 0; i < 64; i++) {
        char bytes[4096];
        union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * 16)]; } control;
        struct iovec vector = { bytes, sizeof bytes };
        struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes,
                                  .msg_controllen = sizeof control.bytes };
        ssize_t n = recvmsg(k->notify, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0) return;
        // Judged before the descriptors are closed: a sender that waits for that is still there to be looked at.
        pid_t sender = sender_of(&message);
        bool is_own = sender > 0 && tree_contains(k, sender);
        close_descriptors(&message);
        if (!is_own || (message.msg_flags & MSG_TRUNC) != 0) {
            // The first one is told: who waits for it in vain is to know why.
            if (k->state.foreign_notices++ == 0) k->changes |= GG_CHANGED_STATUS;
            continue;
        }
        for (char *line = bytes, *end = bytes + n; line < end;) {
            char *stop = memchr(line, '\n', (size_t)(end - line));
            if (stop == NULL) stop = end;
            take_line(k, line, (size_t)(stop - line));
            line = stop + 1;
        }
    }
}
