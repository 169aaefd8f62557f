// A simulated kernel under the shipped code. The linker puts the `__wrap_` functions of wrap.c in the place of CLinux's wrappers
// (`--wrap`, see Package.swift); a thread that has begun a simulation gets its sockets, events and time from there, every other thread
// the real ones. So nothing in the product knows of it.
#pragma once
#include <netinet/in.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/uio.h>

/// Descriptors from here on are simulated; those below are the kernel's, also in a simulation (files).
#define CS_SIMULATED 0x100000

enum simulated_call {
    SIMULATED_EPOLL_CREATE, SIMULATED_EPOLL_CTL, SIMULATED_EPOLL_WAIT, SIMULATED_TIME, SIMULATED_RECV, SIMULATED_PEEK,
    SIMULATED_SEND, SIMULATED_SENDFILE, SIMULATED_WRITE, SIMULATED_SOCKET, SIMULATED_ACCEPT, SIMULATED_CONNECT, SIMULATED_CLOSE,
    SIMULATED_SHUTDOWN, SIMULATED_LOCAL_ADDRESS, SIMULATED_ERROR, SIMULATED_UNACKNOWLEDGED, SIMULATED_RESET_ON_CLOSE,
};

/// One function for all calls: `pointer`, `a` and `b` are what the call takes beside its descriptor.
typedef int64_t (*simulated_kernel)(void *context, enum simulated_call call, int fd, void *pointer, int64_t a, uint64_t b);

/// This thread's sockets come from `kernel` until `simulation_end`.
void simulation_begin(simulated_kernel kernel, void *context);
void simulation_end(void);
