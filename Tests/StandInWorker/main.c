// A worker that does nothing but speak the supervisor's protocol (Sources/Messages), for the tests of the supervisor alone.
//
// It answers every connection with one line, `worker PID generation GENERATION place PLACE column COLUMN`, and closes it. What it does at
// the start follows from words in the configuration: `standin-refuse`, `standin-crash`, `standin-silent` (never ready), `standin-half` (the
// first is ready, the others never), `standin-stubborn` (does not end when told), `standin-slow` (drains only after 300 ms),
// `standin-flood` (a child of it sends rubbish for as long as anybody reads it). Each of its steps is a line in the first log it gets.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHANNEL = 3, LISTENERS_MAX = 256, PACKET_MAX = 32 * 1024 };
enum { HELLO = 1, LISTENERS, LOGS, RUN, DRAIN, STOP, REOPEN_LOGS, PEERS = 9 };

static uint8_t packet[PACKET_MAX];
static int descriptors[64], descriptor_count;
static int listeners[LISTENERS_MAX], listener_count;
static int log_file = -1;
static unsigned generation, place, column, peer_count;
static char configuration[65536];

static unsigned number(const uint8_t *p, int bytes) {
    unsigned value = 0;
    for (int i = 0; i < bytes; i++) value |= (unsigned)p[i] << (8 * i);
    return value;
}

static void note(const char *what) {
    char line[256];
    int n = snprintf(line, sizeof line, "standin %d generation %u %s\n", (int)getpid(), generation, what);
    if (log_file >= 0) (void)!write(log_file, line, (size_t)n);
}

static void report(unsigned kind, const void *payload, size_t count) {
    uint8_t bytes[512] = { 0x47, 2, (uint8_t)kind, 0 };
    memcpy(bytes + 4, payload, count);
    (void)!send(CHANNEL, bytes, count + 4, MSG_NOSIGNAL);
}

static ssize_t receive(void) {
    union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof descriptors)]; } control;
    struct iovec vector = { packet, sizeof packet };
    struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes };
    ssize_t n = recvmsg(CHANNEL, &message, MSG_CMSG_CLOEXEC);
    descriptor_count = 0;
    if (n <= 0) return n;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&message); h != NULL; h = CMSG_NXTHDR(&message, h)) {
        descriptor_count = (int)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(descriptors, CMSG_DATA(h), sizeof(int) * (size_t)descriptor_count);
    }
    return n;
}

/// The named descriptors of a `listeners` or `logs` packet.
static void take(int is_log) {
    const uint8_t *p = packet + 6;
    for (unsigned i = 0, count = number(packet + 4, 2); i < count; i++) {
        unsigned length = number(p, 2), index = number(p + 2 + length, 2);
        p += 4 + length;
        if ((int)index >= descriptor_count) exit(9);
        if (!is_log) { if (listener_count < LISTENERS_MAX) listeners[listener_count++] = descriptors[index]; }
        else if (i == 0) { if (log_file >= 0) close(log_file); log_file = descriptors[index]; }
        else close(descriptors[index]);
    }
}

static void hello(void) {
    place = number(packet + 4, 2);
    column = number(packet + 8, 2);
    uint64_t size = number(packet + 10, 4);
    generation = number(packet + 18, 4);
    ssize_t n = pread(descriptors[0], configuration, sizeof configuration - 1, 0);
    // The texts of the bundle hold zero bytes in their lengths; words are looked for in what is left.
    for (ssize_t i = 0; i < n; i++) if (configuration[i] == 0) configuration[i] = ' ';
    struct stat board;
    if (fstat(descriptors[1], &board) < 0 || (uint64_t)board.st_size != size) exit(9);
    if (ftruncate(descriptors[1], 0) == 0) exit(9);
    if (strstr(configuration, "standin-crash")) raise(SIGSEGV);
    if (strstr(configuration, "standin-refuse")) { report(2, "\x04\0nope", 6); exit(2); }
}

/// Sends what nobody understands, as fast as it is read.
static void flood(void) {
    if (fork() != 0) return;
    prctl(PR_SET_NAME, "standin-flood");
    struct pollfd channel = { .fd = CHANNEL, .events = POLLOUT };
    while (poll(&channel, 1, -1) == 1 && (channel.revents & (POLLERR | POLLHUP)) == 0) report(999, "", 0);
    _exit(0);
}

static int is_ready(void) {
    if (strstr(configuration, "standin-silent")) return 0;
    return place == 0 || strstr(configuration, "standin-half") == NULL;
}

static void answer(int listener) {
    int c = accept(listener, NULL, NULL);
    if (c < 0) return;
    char line[128];
    int n = snprintf(line, sizeof line, "worker %d generation %u place %u column %u peers %u\n", (int)getpid(), generation, place, column, peer_count);
    (void)!write(c, line, (size_t)n);
    shutdown(c, SHUT_WR);
    close(c);
}

/// Handles one packet; 1 when the worker runs from now on.
static int obey(void) {
    switch (number(packet + 2, 2)) {
    case HELLO: hello(); return 0;
    case LISTENERS: take(0); return 0;
    case LOGS: take(1); note("has logs"); return 0;
    case PEERS: peer_count += number(packet + 4, 2); return 0;
    case RUN:
        note("runs");
        if (is_ready()) report(1, (int32_t[]){ (int32_t)getpid() }, 4);
        if (strstr(configuration, "standin-flood")) flood();
        return 1;
    case DRAIN:
        note(packet[4] ? "drains with a deadline" : "drains");
        if (strstr(configuration, "standin-stubborn")) return 0;
        for (int i = 0; i < listener_count; i++) close(listeners[i]);
        if (strstr(configuration, "standin-slow")) usleep(300000);
        exit(0);
    case STOP:
        note("stops");
        if (strstr(configuration, "standin-stubborn")) return 0;
        exit(0);
    case REOPEN_LOGS: note("reopens"); return 0;
    default: return 0;
    }
}

int main(void) {
    for (int runs = 0;;) {
        struct pollfd set[1 + LISTENERS_MAX] = { { .fd = CHANNEL, .events = POLLIN } };
        int count = 1;
        if (runs) for (int i = 0; i < listener_count; i++) set[count++] = (struct pollfd){ .fd = listeners[i], .events = POLLIN };
        if (poll(set, (nfds_t)count, -1) < 0) continue;
        if (set[0].revents) {
            ssize_t n = receive();
            if (n == 0) { note("lost its supervisor"); exit(0); }
            if (n >= 4) runs |= obey();
        }
        for (int i = 1; i < count; i++) if (set[i].revents & POLLIN) answer(set[i].fd);
    }
}
