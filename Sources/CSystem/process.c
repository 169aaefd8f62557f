#include "CSystem.h"
#include <glob.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <sched.h>

int cs_glob(const char *pattern, void (*each)(void *context, const char *path), void *context) {
    glob_t found;
    int r = glob(pattern, 0, NULL, &found);
    if (r == GLOB_NOMATCH) return 0;
    if (r == GLOB_NOSPACE) return -ENOMEM;
    if (r != 0) return -EIO;
    int count = (int)found.gl_pathc;
    for (int i = 0; i < count; i++) each(context, found.gl_pathv[i]);
    globfree(&found);
    return count;
}

int cs_find_user(const char *name, struct cs_user *out) {
    struct passwd *entry = getpwnam(name);
    if (entry == NULL) return 0;
    *out = (struct cs_user){ .user = entry->pw_uid, .group = entry->pw_gid };
    return 1;
}

int cs_find_group(const char *name, uint32_t *out) {
    struct group *entry = getgrnam(name);
    if (entry == NULL) return 0;
    *out = entry->gr_gid;
    return 1;
}

int cs_groups_of_user(const char *name, uint32_t group, uint32_t *out, int capacity) {
    gid_t list[512];
    int count = 512;
    if (getgrouplist(name, group, list, &count) < 0) count = 512;
    if (count > capacity) count = capacity;
    for (int i = 0; i < count; i++) out[i] = list[i];
    return count;
}

int cs_read_address(const struct sockaddr_storage *address, uint32_t length, struct cs_address *out) {
    memset(out, 0, sizeof *out);
    out->family = address->ss_family;
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *a = (const struct sockaddr_in *)address;
        out->ipv4 = ntohl(a->sin_addr.s_addr);
        out->port = ntohs(a->sin_port);
        return 0;
    }
    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)address;
        for (int i = 0; i < 8; i++) {
            out->ipv6_high = out->ipv6_high << 8 | a->sin6_addr.s6_addr[i];
            out->ipv6_low = out->ipv6_low << 8 | a->sin6_addr.s6_addr[8 + i];
        }
        out->port = ntohs(a->sin6_port);
        return 0;
    }
    if (address->ss_family == AF_UNIX) {
        const struct sockaddr_un *a = (const struct sockaddr_un *)address;
        size_t room = length > offsetof(struct sockaddr_un, sun_path) ? length - offsetof(struct sockaddr_un, sun_path) : 0;
        if (room > sizeof a->sun_path) room = sizeof a->sun_path;
        out->path_count = (uint32_t)strnlen(a->sun_path, room);
        memcpy(out->path, a->sun_path, out->path_count);
        return 0;
    }
    return -EAFNOSUPPORT;
}

int cs_resolve(const char *host, struct cs_address *out, int capacity) {
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *list = NULL;
    if (getaddrinfo(host, NULL, &hints, &list) != 0) return 0;
    int count = 0;
    for (struct addrinfo *a = list; a != NULL && count < capacity; a = a->ai_next) {
        struct sockaddr_storage storage;
        memset(&storage, 0, sizeof storage);
        if (a->ai_addrlen > sizeof storage) continue;
        memcpy(&storage, a->ai_addr, a->ai_addrlen);
        if (cs_read_address(&storage, a->ai_addrlen, &out[count]) == 0) count++;
    }
    freeaddrinfo(list);
    return count;
}

// The title: ps reads the memory where the kernel put argv; the environment lies behind it and gives room once it is copied away.
static int start_count;
static char **start_arguments;
static char *title_start;
static size_t title_room;

__attribute__((constructor)) static void remember_arguments(int count, char **arguments) {
    start_count = count;
    start_arguments = arguments;
}

void cs_title_prepare(void) {
    if (title_start != NULL || start_count < 1 || start_arguments[0] == NULL) return;
    char *end = start_arguments[0];
    for (int i = 0; i < start_count; i++) if (start_arguments[i] == end) end += strlen(end) + 1;
    size_t n = 0;
    while (environ[n] != NULL) n++;
    char **copy = calloc(n + 1, sizeof *copy);
    if (copy == NULL) return;
    for (size_t i = 0; i < n; i++) {
        if (environ[i] == end) end += strlen(end) + 1;
        if ((copy[i] = strdup(environ[i])) == NULL) return;
    }
    title_start = start_arguments[0];
    title_room = (size_t)(end - title_start);
    environ = copy;
    for (int i = 0; i < start_count; i++) {
        char *moved = strdup(start_arguments[i]);
        if (moved != NULL) start_arguments[i] = moved;
    }
}

void cs_title_set(const char *title) {
    if (title_start == NULL || title_room < 2) return;
    size_t n = strlen(title);
    if (n > title_room - 1) n = title_room - 1;
    memcpy(title_start, title, n);
    memset(title_start + n, 0, title_room - n);
}

int cs_processor_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

void cs_log_time(char *out) {
    time_t now = time(NULL);
    struct tm t;
    localtime_r(&now, &t);
    snprintf(out, 20, "%04d/%02d/%02d %02d:%02d:%02d", (t.tm_year + 1900) % 10000, (t.tm_mon + 1) % 100, t.tm_mday % 100, t.tm_hour % 100, t.tm_min % 100, t.tm_sec % 100);
}
