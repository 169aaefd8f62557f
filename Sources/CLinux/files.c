#define _GNU_SOURCE 1
#include "CLinux.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cs_open_search(int directory, const char *path, int nofollow) {
    int flags = O_PATH | O_DIRECTORY | O_CLOEXEC | (nofollow ? O_NOFOLLOW : 0);
    int r = openat(directory, path, flags);
    return r < 0 ? -errno : r;
}

int cs_at_current_directory(void) { return AT_FDCWD; }

int cs_fstatat(int directory, const char *path, struct stat *out, int nofollow) {
    return fstatat(directory, path, out, nofollow ? AT_SYMLINK_NOFOLLOW : 0) < 0 ? -errno : 0;
}

int cs_open_directory(const char *path, void **out) {
    *out = opendir(path);
    return *out == NULL ? -errno : 0;
}

int cs_read_directory(void *directory, const char **name, int *type) {
    errno = 0;
    struct dirent *entry = readdir(directory);
    if (entry == NULL) return -errno;
    *name = entry->d_name;
    *type = entry->d_type;
    return (int)strlen(entry->d_name);
}

void cs_close_directory(void *directory) { closedir(directory); }

int cs_real_path(const char *path, char *out, size_t capacity) {
    char *real = realpath(path, NULL);
    if (real == NULL) return -errno;
    size_t length = strlen(real);
    int result = length <= capacity ? (int)length : -ENAMETOOLONG;
    if (length <= capacity) memcpy(out, real, length);
    free(real);
    return result;
}
