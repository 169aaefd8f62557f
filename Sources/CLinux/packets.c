#define _GNU_SOURCE 1
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "retry.h"

int cs_socketpair_seqpacket(int fds[2]) {
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0 ? -errno : 0;
}

ssize_t cs_send_packet(int fd, const void *bytes, size_t count, const int *descriptors, int descriptor_count) {
    if (descriptor_count < 0 || descriptor_count > CS_DESCRIPTORS_MAX) return -EINVAL;
    union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(int) * CS_DESCRIPTORS_MAX)]; } control;
    struct iovec vector = { .iov_base = (void *)bytes, .iov_len = count };
    struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };
    if (descriptor_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)descriptor_count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)descriptor_count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * (size_t)descriptor_count);
    }
    return CS_RETRY(sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
}

ssize_t cs_receive_packet(int fd, void *bytes, size_t capacity, int *descriptors, int *descriptor_count) {
    union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(int) * CS_DESCRIPTORS_MAX)]; } control;
    struct iovec vector = { .iov_base = bytes, .iov_len = capacity };
    struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes };
    int room = *descriptor_count, found = 0;
    *descriptor_count = 0;
    ssize_t r = CS_RETRY(recvmsg(fd, &message, MSG_CMSG_CLOEXEC));
    // The other side has ended with packets of ours unread. The kernel tells that once, before the packets that it had sent.
    if (r == -ECONNRESET) {
        message.msg_controllen = sizeof control.bytes;
        r = CS_RETRY(recvmsg(fd, &message, MSG_CMSG_CLOEXEC));
    }
    if (r < 0) return r;
    int cut = (message.msg_flags & MSG_TRUNC) != 0;
    // This process has no room for more descriptors: what the packet says is still to be known.
    int lost = (message.msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&message); h != NULL; h = CMSG_NXTHDR(&message, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS) continue;
        int n = (int)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (int i = 0; i < n; i++) {
            int d; memcpy(&d, CMSG_DATA(h) + sizeof(int) * (size_t)i, sizeof d);
            if (!cut && found < room) descriptors[found++] = d; else { close(d); cut = 1; }
        }
    }
    if (cut || lost) { for (int i = 0; i < found; i++) close(descriptors[i]); found = 0; }
    *descriptor_count = found;
    return cut ? -EMSGSIZE : r;
}

int cs_peer_user(int fd, uint32_t *user) {
    struct ucred peer; socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
    *user = (uint32_t)peer.uid;
    return 0;
}

int cs_move_descriptor(int from, int to) {
    if (from == to) return 0;
    int r;
    do { r = dup3(from, to, O_CLOEXEC); } while (r < 0 && (errno == EINTR || errno == EBUSY));
    if (r < 0) return -errno;
    close(from);
    return 0;
}
