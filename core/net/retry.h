/* retry.h — the one retry policy: what is worth another attempt, how often, and how long to wait.
 *
 * Worth it: 408, 425, 429 and 5xx (501 and 505 apart), a connection that was refused, reset, timed out or closed in
 * the middle (GOAWAY too), a body cut short. Never: what will be the same next time, like a certificate that does
 * not verify. Waiting is exponential, half of it jitter, so that a thousand clients do not come back as one; a
 * Retry-After of the server is honoured up to a cap. A server that was never reached gets few attempts, so that a
 * wrong address is told in seconds; one that answered before gets many, so that a restart of it is sat out.
 */
#pragma once
#include "core/base/base.h"

struct retry_policy {
    unsigned attempts;         /* in all, the first included */
    unsigned attempts_unknown; /* while the server has never answered */
    int64_t first_ms, most_ms; /* bounds of the backoff: at most first × 2^n, never above most */
    int64_t most_retry_after_ms;
    void (*sleep)(void *ctx, int64_t ms); /* NULL: clock_sleep_ms; tests count instead of waiting */
    void *ctx;
};

extern const struct retry_policy RETRY_DEFAULT; /* 8 and 3 attempts, 0.2 s to 10 s, Retry-After up to 60 s */

bool retry_status(int status);
/* How long to wait after the attempt of that number (from 1). `retry_after_ms` is -1 without one; `random` is any
 * 64 bits. */
int64_t retry_delay_ms(const struct retry_policy *policy, unsigned attempt, int64_t retry_after_ms,
                       uint64_t random);
/* Value of a Retry-After header, seconds or an HTTP date, as milliseconds from now; -1 when it is neither. */
int64_t retry_after_ms(struct str value, int64_t now_ms);
/* Waits as the policy says. */
void retry_wait(const struct retry_policy *policy, unsigned attempt, int64_t retry_after_ms);
