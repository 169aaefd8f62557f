#define _GNU_SOURCE 1
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <time.h>
#include <unistd.h>
#include "retry.h"

int cs_epoll_create(void) { int r = epoll_create1(EPOLL_CLOEXEC); return r < 0 ? -errno : r; }

int cs_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event e = { .events = events, .data.u64 = data };
    return epoll_ctl(epoll, operation, fd, &e) < 0 ? -errno : 0;
}

int cs_epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout_ms) {
    int r = epoll_wait(epoll, events, capacity, timeout_ms); return r < 0 ? -errno : r;
}

uint64_t cs_event_data(const struct epoll_event *events, int i) { return events[i].data.u64; }

uint32_t cs_event_mask(const struct epoll_event *events, int i) { return events[i].events; }

uint64_t cs_monotonic_ns(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec; }

uint64_t cs_realtime_ns(void) { struct timespec t; clock_gettime(CLOCK_REALTIME, &t); return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec; }

ssize_t cs_recv(int fd, void *buffer, size_t count) { return CS_RETRY(recv(fd, buffer, count, 0)); }

ssize_t cs_recv_peek(int fd, void *buffer, size_t count) { return CS_RETRY(recv(fd, buffer, count, MSG_PEEK | MSG_DONTWAIT)); }

ssize_t cs_send(int fd, const void *buffer, size_t count, int more) { return CS_RETRY(send(fd, buffer, count, MSG_NOSIGNAL | (more ? MSG_MORE : 0))); }

ssize_t cs_read(int fd, void *buffer, size_t count) { return CS_RETRY(read(fd, buffer, count)); }

ssize_t cs_write(int fd, const void *buffer, size_t count) { return CS_RETRY(write(fd, buffer, count)); }

ssize_t cs_pread(int fd, void *buffer, size_t count, int64_t offset) { return CS_RETRY(pread(fd, buffer, count, offset)); }

ssize_t cs_pwrite(int fd, const void *buffer, size_t count, int64_t offset) { return CS_RETRY(pwrite(fd, buffer, count, offset)); }

ssize_t cs_sendmsg_vector(int fd, struct iovec *vector, int count, int more) {
    struct msghdr m = { .msg_iov = vector, .msg_iovlen = (size_t)count };
    return CS_RETRY(sendmsg(fd, &m, MSG_NOSIGNAL | (more ? MSG_MORE : 0)));
}


ssize_t cs_sendfile(int out, int in, int64_t offset, size_t count) { off_t o = offset; return CS_RETRY(sendfile(out, in, &o, count)); }

int cs_open(const char *path, int flags, mode_t mode) { int r; do { r = open(path, flags | O_CLOEXEC, mode); } while (r < 0 && errno == EINTR); return r < 0 ? -errno : r; }

int cs_openat(int directory, const char *path, int flags, mode_t mode) { int r; do { r = openat(directory, path, flags | O_CLOEXEC, mode); } while (r < 0 && errno == EINTR); return r < 0 ? -errno : r; }

int cs_close(int fd) { return close(fd) < 0 ? -errno : 0; }

int cs_fstat(int fd, struct stat *out) { return fstat(fd, out) < 0 ? -errno : 0; }

int cs_stat(const char *path, struct stat *out) { return stat(path, out) < 0 ? -errno : 0; }

int cs_lstat(const char *path, struct stat *out) { return lstat(path, out) < 0 ? -errno : 0; }

int cs_set_nonblocking(int fd, int on) {
    int f = fcntl(fd, F_GETFL, 0); if (f < 0) return -errno;
    return fcntl(fd, F_SETFL, on ? f | O_NONBLOCK : f & ~O_NONBLOCK) < 0 ? -errno : 0;
}

int cs_set_cloexec(int fd, int on) { return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0 ? -errno : 0; }

int cs_memfd(const char *name, unsigned flags) { int r = memfd_create(name, flags | MFD_CLOEXEC); return r < 0 ? -errno : r; }

int cs_pipe(int fds[2], int flags) { return pipe2(fds, flags | O_CLOEXEC) < 0 ? -errno : 0; }

int cs_socket(int family, int type) { int r = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); return r < 0 ? -errno : r; }

int cs_accept(int fd, struct sockaddr_storage *address, uint32_t *length) {
    socklen_t l = sizeof *address; int r;
    do { r = accept4(fd, (struct sockaddr *)address, &l, SOCK_CLOEXEC | SOCK_NONBLOCK); } while (r < 0 && errno == EINTR);
    *length = l; return r < 0 ? -errno : r;
}

int cs_connect(int fd, const void *address, uint32_t length) { return connect(fd, (const struct sockaddr *)address, length) < 0 ? -errno : 0; }

int cs_bind(int fd, const void *address, uint32_t length) { return bind(fd, (const struct sockaddr *)address, length) < 0 ? -errno : 0; }

int cs_listen(int fd, int backlog) { return listen(fd, backlog) < 0 ? -errno : 0; }

int cs_shutdown_write(int fd) { return shutdown(fd, SHUT_WR) < 0 ? -errno : 0; }

int cs_local_address(int fd, struct sockaddr_storage *address, uint32_t *length) {
    socklen_t l = sizeof *address; int r = getsockname(fd, (struct sockaddr *)address, &l); *length = l; return r < 0 ? -errno : 0;
}

int cs_set_option(int fd, int level, int name, int value) { return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0; }

int cs_get_option(int fd, int level, int name, int *value) { socklen_t l = sizeof *value; return getsockopt(fd, level, name, value, &l) < 0 ? -errno : 0; }

int cs_socket_error(int fd) { int e = 0; socklen_t l = sizeof e; return getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &l) < 0 ? errno : e; }

int cs_tcp_info(int fd, uint32_t *values) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    memset(&info, 0, sizeof info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0) return -errno;
    values[0] = info.tcpi_rtt;
    values[1] = info.tcpi_rttvar;
    values[2] = info.tcpi_snd_cwnd;
    values[3] = info.tcpi_rcv_space;
    return 0;
}

int cs_unacknowledged(int fd) { int n = 0; return ioctl(fd, SIOCOUTQ, &n) < 0 ? -errno : n; }

int cs_set_linger_reset(int fd) { struct linger l = { .l_onoff = 1, .l_linger = 0 }; return setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l) < 0 ? -errno : 0; }

int cs_set_dumpable(int on) { return prctl(PR_SET_DUMPABLE, on, 0, 0, 0) < 0 ? -errno : 0; }
int cs_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0; }

static volatile sig_atomic_t caught_signal;
static void catch_signal(int number) { caught_signal = number; }

int cs_catch_signal(int number) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = catch_signal;   // no SA_RESTART: epoll_wait must return
    return sigaction(number, &action, NULL) < 0 ? -errno : 0;
}

// One that comes between a load and a store is not lost; most calls only load.
int cs_take_signal(void) { return caught_signal ? __atomic_exchange_n(&caught_signal, 0, __ATOMIC_ACQ_REL) : 0; }
