#define _GNU_SOURCE 1
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "retry.h"

int cs_probe_socket(const char *path, int *process) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    *process = 0;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int result = 1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        // EAGAIN: somebody listens, and his queue is full.
        if (errno == ECONNREFUSED || errno == ENOENT) result = 0;
        else if (errno != EAGAIN) result = -errno;
    }
    struct ucred who;
    socklen_t size = sizeof who;
    if (result == 1 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0) *process = who.pid;
    close(fd);
    return result;
}

int cs_lock_directory(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    if (CS_RETRY(flock(fd, LOCK_EX)) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}
