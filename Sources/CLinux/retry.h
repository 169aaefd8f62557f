#pragma once
// Repeats a call that a signal interrupted; gives its result, or -errno.
#define CS_RETRY(call) ({ ssize_t r_; do { r_ = (ssize_t)(call); } while (r_ < 0 && errno == EINTR); r_ < 0 ? -(ssize_t)errno : r_; })
