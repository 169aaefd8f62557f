// Reading the instructions: a list of tagged entries, checked before anything is used.
#include "keeper.h"
#include <stdlib.h>
#include <string.h>

/// Entries that only the keeper can add: LISTEN_PID, WATCHDOG_USEC, WATCHDOG_PID, NOTIFY_SOCKET, LISTEN_FDS, LISTEN_FDNAMES.
#define OWN_ENVIRONMENT 6

struct reader { const char *bytes; size_t length, position; };

/// Steps to the next entry. 1: there is one, 0: the end, -1: the entry does not fit.
static int reader_next(struct reader *r, struct gg_entry *entry, const char **value) {
    if (r->position == r->length) return 0;
    if (r->length - r->position < sizeof *entry) return -1;
    memcpy(entry, r->bytes + r->position, sizeof *entry);
    r->position += sizeof *entry;
    size_t padded = ((size_t)entry->length + 7) & ~(size_t)7;
    if (r->length - r->position < padded) return -1;
    *value = r->bytes + r->position;
    r->position += padded;
    return 1;
}

static bool is_string(const struct gg_entry *entry, const char *value) {
    return entry->length > 0 && value[entry->length - 1] == 0 && strlen(value) == entry->length - 1u;
}

static int read_string(const struct gg_entry *entry, const char *value, const char **out) {
    if (!is_string(entry, value)) return EINVAL;
    *out = value;
    return 0;
}

static int read_numbers(const struct gg_entry *entry, const char *value, uint64_t *out, size_t count) {
    if (entry->length != count * sizeof *out) return EINVAL;
    memcpy(out, value, entry->length);
    return 0;
}

static int read_identity(struct instructions *told, const struct gg_entry *entry, const char *value) {
    size_t count = entry->length / sizeof(uint32_t);
    if (entry->length % sizeof(uint32_t) != 0 || count < 2 || count - 2 > GROUPS_MAX) return EINVAL;
    uint32_t numbers[2 + GROUPS_MAX];
    memcpy(numbers, value, entry->length);
    told->has_identity = true;
    told->user = numbers[0];
    told->group = numbers[1];
    told->group_count = count - 2;
    for (size_t i = 2; i < count; i++) told->groups[i - 2] = numbers[i];
    return 0;
}

static int read_limit(struct instructions *told, const struct gg_entry *entry, const char *value) {
    uint64_t numbers[3];
    if (told->limit_count == LIMITS_MAX || read_numbers(entry, value, numbers, 3) != 0) return EINVAL;
    told->limits[told->limit_count].resource = (int)numbers[0];
    told->limits[told->limit_count].value = (struct rlimit){ .rlim_cur = numbers[1], .rlim_max = numbers[2] };
    told->limit_count++;
    return 0;
}

/// Puts the string into a list of fixed capacity.
static int append(const char **list, size_t *count, size_t capacity, const struct gg_entry *entry, const char *value) {
    if (*count == capacity) return E2BIG;
    int error = read_string(entry, value, &list[*count]);
    if (error == 0) (*count)++;
    return error;
}

static int read_number32(const struct gg_entry *entry, const char *value, uint32_t *out) {
    if (entry->length != sizeof *out) return EINVAL;
    memcpy(out, value, sizeof *out);
    return 0;
}

static int read_entry(struct instructions *told, const struct gg_entry *entry, const char *value, size_t *arguments) {
    uint64_t pair[2];
    int error;
    switch (entry->tag) {
    case GG_NAME: return read_string(entry, value, &told->name);
    case GG_SLOT: return read_number32(entry, value, &told->slot);
    case GG_ARGUMENT:
        if (!is_string(entry, value)) return EINVAL;
        told->arguments[(*arguments)++] = (char *)value;
        return 0;
    case GG_ENVIRONMENT:
        if (!is_string(entry, value) || strchr(value, '=') == NULL) return EINVAL;
        told->environment[told->environment_count++] = (char *)value;
        return 0;
    case GG_DIRECTORY: return read_string(entry, value, &told->directory);
    case GG_IDENTITY: return read_identity(told, entry, value);
    case GG_UMASK: return read_number32(entry, value, &told->creation_mask);
    case GG_LIMIT: return read_limit(told, entry, value);
    case GG_CGROUP: return append(told->cgroups, &told->cgroup_count, CGROUPS_MAX, entry, value);
    case GG_SOCKET_PATH: return read_string(entry, value, &told->socket_path);
    case GG_LOG_PATH: return read_string(entry, value, &told->log_path);
    case GG_LOG_ROTATION:
        error = read_numbers(entry, value, pair, 2);
        if (error == 0) { told->log_rotate_bytes = pair[0]; told->log_keep = pair[1]; }
        return error;
    case GG_LISTENER_NAME:
        return append(told->listener_names, &told->listener_name_count, GG_LISTENERS_MAX, entry, value);
    case GG_WATCHDOG: return read_numbers(entry, value, &told->watchdog_us, 1);
    case GG_STOP_DEFAULT:
        if (entry->length != sizeof told->stop_default) return EINVAL;
        memcpy(&told->stop_default, value, sizeof told->stop_default);
        return 0;
    case GG_ORPHAN_TIME: return read_numbers(entry, value, &told->orphan_seconds, 1);
    default: return EPROTO;             // an instruction that is not understood must not be left out silently
    }
}

int instructions_read(struct instructions *told, const void *bytes, size_t length) {
    struct gg_header header;
    if (length < sizeof header) return EPROTO;
    memcpy(&header, bytes, sizeof header);
    if (header.magic != GG_MAGIC || header.version != GG_VERSION || header.kind != GG_LAUNCH) return EPROTO;
    if (header.length != length - sizeof header) return EPROTO;
    struct reader reader = { (const char *)bytes + sizeof header, header.length, 0 };
    struct gg_entry entry;
    const char *value;
    size_t arguments = 0, variables = 0;
    int step;
    for (struct reader r = reader; (step = reader_next(&r, &entry, &value)) > 0;) {
        arguments += entry.tag == GG_ARGUMENT;
        variables += entry.tag == GG_ENVIRONMENT;
    }
    if (step < 0) return EPROTO;
    if (arguments == 0) return EINVAL;
    told->arguments = calloc(arguments + 1, sizeof *told->arguments);
    told->environment = calloc(variables + OWN_ENVIRONMENT + 1, sizeof *told->environment);
    if (told->arguments == NULL || told->environment == NULL) return ENOMEM;
    told->creation_mask = 022;
    told->stop_default = (struct gg_stop){ .signal = SIGTERM, .kill_after_ms = 30000 };
    told->orphan_seconds = 3600;
    arguments = 0;
    while (reader_next(&reader, &entry, &value) > 0) {
        int error = read_entry(told, &entry, value, &arguments);
        if (error != 0) return error;
    }
    if (told->name == NULL || strlen(told->name) >= GG_NAME_MAX) return EINVAL;
    return told->socket_path == NULL || told->socket_path[0] == 0 ? EINVAL : 0;
}
