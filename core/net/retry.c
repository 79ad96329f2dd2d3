#include "core/net/retry.h"

#include <curl/curl.h>
#include <string.h>
#include <sys/random.h>

#include "core/base/clock.h"

const struct retry_policy RETRY_DEFAULT = {
    .attempts = 8,
    .attempts_unknown = 3,
    .first_ms = 200,
    .most_ms = 10 * 1000,
    .most_retry_after_ms = 60 * 1000,
};

bool retry_status(int status)
{
    switch (status) {
    case 408:
    case 425:
    case 429: return true;
    case 501:
    case 505: return false;
    default: return status >= 500 && status <= 599;
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Half of the bound for certain, so that eight attempts sit out ten seconds whatever the dice say; the other half is
 * jitter. After a Retry-After the jitter comes on top of it, for what the server told one client it told all of them. */
int64_t retry_delay_ms(const struct retry_policy *policy, unsigned attempt, int64_t after_ms, uint64_t random)
{
    int64_t bound = policy->first_ms;
    for (unsigned i = 1; i < attempt && bound < policy->most_ms; i++)
        bound *= 2;
    bound = least(bound, policy->most_ms);
    if (after_ms >= 0)
        return least(after_ms, policy->most_retry_after_ms) +
               (int64_t)(random % (uint64_t)(policy->first_ms + 1));
    return bound / 2 + (int64_t)(random % (uint64_t)(bound - bound / 2 + 1));
}

int64_t retry_after_ms(struct str value, int64_t now_ms)
{
    uint64_t seconds;
    char date[64];

    value = str_trim(value);
    if (str_to_u64(value, &seconds))
        return seconds < 1000 * 1000 ? (int64_t)seconds * 1000 : 1000LL * 1000 * 1000;
    if (value.len == 0 || value.len >= sizeof date)
        return -1;
    memcpy(date, value.ptr, value.len);
    date[value.len] = '\0';
    time_t at = curl_getdate(date, NULL);
    if (at == -1)
        return -1;
    int64_t wait = (int64_t)at * 1000 - now_ms;
    return wait > 0 ? wait : 0;
}

void retry_wait(const struct retry_policy *policy, unsigned attempt, int64_t after_ms)
{
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random)
        random = (uint64_t)clock_monotonic_ms() * 0x9E3779B97F4A7C15u;
    int64_t delay = retry_delay_ms(policy, attempt, after_ms, random);
    if (policy->sleep != NULL)
        policy->sleep(policy->ctx, delay);
    else
        clock_sleep_ms(delay);
}
