#include "core/crypto/bech32.h"

#include <string.h>

static const char digits[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
enum { CHECKSUM = 6 };

static uint32_t polymod_step(uint32_t sum, unsigned char value)
{
    static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    uint32_t top = sum >> 25;
    sum = (sum & 0x1ffffff) << 5 ^ value;
    for (int i = 0; i < 5; i++)
        if (top >> i & 1)
            sum ^= generator[i];
    return sum;
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static uint32_t polymod(struct str prefix, const unsigned char *values, size_t count)
{
    uint32_t sum = 1;
    for (size_t i = 0; i < prefix.len; i++)
        sum = polymod_step(sum, lower(prefix.ptr[i]) >> 5);
    sum = polymod_step(sum, 0);
    for (size_t i = 0; i < prefix.len; i++)
        sum = polymod_step(sum, lower(prefix.ptr[i]) & 31);
    for (size_t i = 0; i < count; i++)
        sum = polymod_step(sum, values[i]);
    return sum;
}

static bool is_upper(struct str prefix)
{
    for (size_t i = 0; i < prefix.len; i++)
        if (prefix.ptr[i] >= 'A' && prefix.ptr[i] <= 'Z')
            return true;
    return false;
}

struct str bech32_encode(struct arena *arena, struct str prefix, struct str bytes)
{
    size_t count = 0, room = (bytes.len * 8 + 4) / 5 + CHECKSUM;
    unsigned char *values = arena_alloc(arena, room);
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        bits = (bits << 8 | (unsigned char)bytes.ptr[i]) & 0xfff;
        for (have += 8; have >= 5; have -= 5)
            values[count++] = bits >> (have - 5) & 31;
    }
    if (have > 0)
        values[count++] = bits << (5 - have) & 31;
    uint32_t sum = polymod(prefix, values, room) ^ 1; /* the last six are still zero */
    for (int i = 0; i < CHECKSUM; i++)
        values[count++] = sum >> 5 * (CHECKSUM - 1 - i) & 31;

    bool upper = is_upper(prefix);
    char *text = arena_alloc(arena, prefix.len + 1 + count);
    memcpy(text, prefix.ptr, prefix.len);
    text[prefix.len] = '1';
    for (size_t i = 0; i < count; i++) {
        char c = digits[values[i]];
        text[prefix.len + 1 + i] = (char)(upper && c >= 'a' ? c - 'a' + 'A' : c);
    }
    return (struct str){text, prefix.len + 1 + count};
}

static int digit_of(char c, bool upper)
{
    if (upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z')
        return -1;
    const char *found = c == '\0' ? NULL : strchr(digits, lower(c));
    return found ? (int)(found - digits) : -1;
}

bool bech32_decode(struct arena *arena, struct str prefix, struct str text, struct str *ret_bytes)
{
    bool upper = is_upper(prefix);
    if (text.len > BECH32_MAX || text.len < prefix.len + 1 + CHECKSUM || !str_starts(text, prefix) ||
        text.ptr[prefix.len] != '1')
        return false;
    struct str data = str_from(text, prefix.len + 1);
    unsigned char *values = arena_alloc(arena, data.len);
    for (size_t i = 0; i < data.len; i++) {
        int digit = digit_of(data.ptr[i], upper);
        if (digit < 0)
            return false;
        values[i] = (unsigned char)digit;
    }
    if (polymod(prefix, values, data.len) != 1)
        return false;

    unsigned char *bytes = arena_alloc(arena, data.len);
    size_t len = 0;
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i + CHECKSUM < data.len; i++) {
        bits = (bits << 5 | values[i]) & 0xfff;
        have += 5;
        if (have >= 8) {
            have -= 8;
            bytes[len++] = (unsigned char)(bits >> have);
        }
    }
    if (have >= 5 || (bits & ((1u << have) - 1)) != 0)
        return false;
    *ret_bytes = (struct str){(const char *)bytes, len};
    return true;
}
