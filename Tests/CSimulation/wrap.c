#include "CSimulation.h"
#include <stddef.h>
#include <sys/types.h>

static _Thread_local simulated_kernel kernel;
static _Thread_local void *context;

void simulation_begin(simulated_kernel with, void *of) { kernel = with; context = of; }
void simulation_end(void) { kernel = NULL; context = NULL; }

static int64_t simulated(enum simulated_call call, int fd, void *pointer, int64_t a, uint64_t b) {
    return kernel(context, call, fd, pointer, a, b);
}

/// The wrapper of a call on a descriptor: simulated descriptors go to the simulation.
#define WRAP(result, name, parameters, arguments, call, pointer, a, b) \
    result __real_##name parameters; \
    result __wrap_##name parameters; \
    result __wrap_##name parameters { \
        if (kernel == NULL || fd < CS_SIMULATED) return __real_##name arguments; \
        return (result)simulated(call, fd, (void *)(pointer), (int64_t)(a), (uint64_t)(b)); \
    }

WRAP(ssize_t, cs_recv, (int fd, void *buffer, size_t count), (fd, buffer, count), SIMULATED_RECV, buffer, count, 0)
WRAP(ssize_t, cs_recv_peek, (int fd, void *buffer, size_t count), (fd, buffer, count), SIMULATED_PEEK, buffer, count, 0)
WRAP(ssize_t, cs_send, (int fd, const void *buffer, size_t count, int more), (fd, buffer, count, more), SIMULATED_SEND, buffer, count, more)
WRAP(ssize_t, cs_write, (int fd, const void *buffer, size_t count), (fd, buffer, count), SIMULATED_WRITE, buffer, count, 0)
WRAP(ssize_t, cs_sendfile, (int fd, int in, int64_t offset, size_t count), (fd, in, offset, count),
     SIMULATED_SENDFILE, &in, count, offset)
WRAP(int, cs_accept, (int fd, struct sockaddr_storage *address, uint32_t *length), (fd, address, length),
     SIMULATED_ACCEPT, address, 0, (uintptr_t)length)
WRAP(int, cs_connect, (int fd, const void *address, uint32_t length), (fd, address, length), SIMULATED_CONNECT, address, length, 0)
WRAP(int, cs_close, (int fd), (fd), SIMULATED_CLOSE, NULL, 0, 0)
WRAP(int, cs_shutdown_write, (int fd), (fd), SIMULATED_SHUTDOWN, NULL, 0, 0)
WRAP(int, cs_local_address, (int fd, struct sockaddr_storage *address, uint32_t *length), (fd, address, length),
     SIMULATED_LOCAL_ADDRESS, address, 0, (uintptr_t)length)
WRAP(int, cs_socket_error, (int fd), (fd), SIMULATED_ERROR, NULL, 0, 0)
WRAP(int, cs_unacknowledged, (int fd), (fd), SIMULATED_UNACKNOWLEDGED, NULL, 0, 0)
WRAP(int, cs_set_linger_reset, (int fd), (fd), SIMULATED_RESET_ON_CLOSE, NULL, 0, 0)

ssize_t __real_cs_sendmsg_vector(int fd, struct iovec *vector, int count, int more);
ssize_t __wrap_cs_sendmsg_vector(int fd, struct iovec *vector, int count, int more);
ssize_t __wrap_cs_sendmsg_vector(int fd, struct iovec *vector, int count, int more) {
    if (kernel == NULL || fd < CS_SIMULATED) return __real_cs_sendmsg_vector(fd, vector, count, more);
    ssize_t sent = 0;
    for (int i = 0; i < count; i++) {
        ssize_t n = simulated(SIMULATED_SEND, fd, vector[i].iov_base, (int64_t)vector[i].iov_len, 0);
        if (n < 0) return sent > 0 ? sent : n;
        sent += n;
        if ((size_t)n < vector[i].iov_len) break;
    }
    return sent;
}

int __real_cs_set_option(int fd, int level, int name, int value);
int __wrap_cs_set_option(int fd, int level, int name, int value);
int __wrap_cs_set_option(int fd, int level, int name, int value) {
    return kernel == NULL || fd < CS_SIMULATED ? __real_cs_set_option(fd, level, name, value) : 0;
}

int __real_cs_epoll_create(void);
int __wrap_cs_epoll_create(void);
int __wrap_cs_epoll_create(void) {
    return kernel == NULL ? __real_cs_epoll_create() : (int)simulated(SIMULATED_EPOLL_CREATE, 0, NULL, 0, 0);
}

int __real_cs_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data);
int __wrap_cs_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data);
int __wrap_cs_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    if (kernel == NULL || epoll < CS_SIMULATED) return __real_cs_epoll_ctl(epoll, operation, fd, events, data);
    return (int)simulated(SIMULATED_EPOLL_CTL, fd, NULL, (int64_t)operation << 32 | events, data);
}

int __real_cs_epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout_ms);
int __wrap_cs_epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout_ms);
int __wrap_cs_epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout_ms) {
    if (kernel == NULL || epoll < CS_SIMULATED) return __real_cs_epoll_wait(epoll, events, capacity, timeout_ms);
    return (int)simulated(SIMULATED_EPOLL_WAIT, epoll, events, timeout_ms, (uint64_t)capacity);
}

int __real_cs_socket(int family, int type);
int __wrap_cs_socket(int family, int type);
int __wrap_cs_socket(int family, int type) {
    return kernel == NULL ? __real_cs_socket(family, type) : (int)simulated(SIMULATED_SOCKET, 0, NULL, family, (uint64_t)type);
}

uint64_t __real_cs_monotonic_ns(void);
uint64_t __wrap_cs_monotonic_ns(void);
uint64_t __wrap_cs_monotonic_ns(void) {
    return kernel == NULL ? __real_cs_monotonic_ns() : (uint64_t)simulated(SIMULATED_TIME, 0, NULL, 0, 0);
}

uint64_t __real_cs_realtime_ns(void);
uint64_t __wrap_cs_realtime_ns(void);
uint64_t __wrap_cs_realtime_ns(void) {
    return kernel == NULL ? __real_cs_realtime_ns() : (uint64_t)simulated(SIMULATED_TIME, 0, NULL, 1, 0);
}

// The channel to the supervisor: there is none.
ssize_t __real_cs_send_packet(int fd, const void *bytes, size_t count, const int *descriptors, int descriptor_count);
ssize_t __wrap_cs_send_packet(int fd, const void *bytes, size_t count, const int *descriptors, int descriptor_count);
ssize_t __wrap_cs_send_packet(int fd, const void *bytes, size_t count, const int *descriptors, int descriptor_count) {
    return kernel == NULL ? __real_cs_send_packet(fd, bytes, count, descriptors, descriptor_count) : (ssize_t)count;
}
