// Thin wrappers over Linux system calls for which Swift has no good import: variadic calls, macros, structures with unions.
// Each returns a value >= 0, or -errno. None allocates, none logs. (Bodies are in C files, because they need _GNU_SOURCE and the
// headers must look the same to the Swift importer as its own Glibc module.)
#pragma once
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>

// --- epoll ---
int cs_epoll_create(void);
int cs_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data);
/// Waits for events; -EINTR is returned as such, because a signal may have changed what the caller waits for.
int cs_epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout_ms);
uint64_t cs_event_data(const struct epoll_event *events, int i);
uint32_t cs_event_mask(const struct epoll_event *events, int i);

// --- clocks ---
uint64_t cs_monotonic_ns(void);
uint64_t cs_realtime_ns(void);

// --- plain input and output ---
ssize_t cs_recv(int fd, void *buffer, size_t count);
ssize_t cs_recv_peek(int fd, void *buffer, size_t count);
ssize_t cs_send(int fd, const void *buffer, size_t count, int more);
ssize_t cs_read(int fd, void *buffer, size_t count);
ssize_t cs_write(int fd, const void *buffer, size_t count);
ssize_t cs_pread(int fd, void *buffer, size_t count, int64_t offset);
ssize_t cs_pwrite(int fd, const void *buffer, size_t count, int64_t offset);
ssize_t cs_sendmsg_vector(int fd, struct iovec *vector, int count, int more);
ssize_t cs_sendfile(int out, int in, int64_t offset, size_t count);
int cs_open(const char *path, int flags, mode_t mode);
int cs_openat(int directory, const char *path, int flags, mode_t mode);
int cs_close(int fd);
int cs_fstat(int fd, struct stat *out);
int cs_stat(const char *path, struct stat *out);
int cs_lstat(const char *path, struct stat *out);
/// Opens a directory only to look up names in it. ENOTDIR for a symbolic link with `nofollow`.
int cs_open_search(int directory, const char *path, int nofollow);
int cs_at_current_directory(void);
int cs_fstatat(int directory, const char *path, struct stat *out, int nofollow);
int cs_open_directory(const char *path, void **out);
/// The next entry: the length of its name (valid until the next call) and its DT_ type; 0 at the end.
int cs_read_directory(void *directory, const char **name, int *type);
void cs_close_directory(void *directory);
/// Writes the canonical path, without a zero, and returns its length.
int cs_real_path(const char *path, char *out, size_t capacity);
int cs_set_nonblocking(int fd, int on);
int cs_set_cloexec(int fd, int on);
int cs_memfd(const char *name, unsigned flags);
int cs_pipe(int fds[2], int flags);

// --- sockets ---
int cs_socket(int family, int type);
int cs_accept(int fd, struct sockaddr_storage *address, uint32_t *length);
int cs_connect(int fd, const void *address, uint32_t length);
int cs_bind(int fd, const void *address, uint32_t length);
int cs_listen(int fd, int backlog);
int cs_shutdown_write(int fd);
int cs_local_address(int fd, struct sockaddr_storage *address, uint32_t *length);
int cs_set_option(int fd, int level, int name, int value);
int cs_get_option(int fd, int level, int name, int *value);
int cs_socket_error(int fd);
/// Bytes written to a TCP socket that its peer's kernel has not acknowledged; also after a reset.
int cs_unacknowledged(int fd);
/* Round-trip time and its variation in microseconds, congestion window in segments, receive window in bytes (TCP_INFO). */
int cs_tcp_info(int fd, uint32_t *values);
/// Makes close() send RST instead of FIN and drop what is queued (nginx: reset_timedout_connection).
int cs_set_linger_reset(int fd);

// --- messages with descriptors (SCM_RIGHTS) over SOCK_SEQPACKET ---
#define CS_DESCRIPTORS_MAX 64
int cs_socketpair_seqpacket(int fds[2]);
/// Sends one packet with up to CS_DESCRIPTORS_MAX descriptors. Never blocks: -EAGAIN when the peer's buffer is full.
ssize_t cs_send_packet(int fd, const void *bytes, size_t count, const int *descriptors, int descriptor_count);
/// Receives one packet. Descriptors arrive close-on-exec. *descriptor_count is in: capacity, out: number; 0 if this process has no room for all of them (they are closed then).
/// -EMSGSIZE if the packet is longer than `capacity` or has more descriptors than that (they are closed then).
ssize_t cs_receive_packet(int fd, void *bytes, size_t capacity, int *descriptors, int *descriptor_count);
/// The user of the process on the other side, as it was when it connected.
int cs_peer_user(int fd, uint32_t *user);
/// Puts a descriptor in the place of another one, close-on-exec, and closes its old number.
int cs_move_descriptor(int from, int to);

// --- the control socket ---
/// Whether somebody listens at a Unix-domain socket: 1, with his process id (0: unknown); 0: nobody does; or -errno.
int cs_probe_socket(const char *path, int *process);
/// Opens a directory and waits until no other process has it locked. Closing it gives the lock back.
int cs_lock_directory(const char *path);

#include "process.h"

// --- rights of this process ---
/// Whether the process may be traced and dumped by others of its user.
int cs_set_dumpable(int on);
int cs_no_new_privileges(void);

// --- signals to a worker itself ---
/// Notes a signal instead of dying of it; a sleeping epoll_wait returns.
int cs_catch_signal(int number);
/// The last signal caught since the last call, 0 if none.
int cs_take_signal(void);
