#include "core/base/base64.h"

#include <string.h>

#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
static const char alphabets[][65] = {
    [BASE64_STANDARD] = ALPHANUMERIC "+/",
    [BASE64_URL] = ALPHANUMERIC "-_",
    [BASE64_UNPADDED] = ALPHANUMERIC "+/",
};

struct str base64_encode(struct arena *arena, struct str bytes, enum base64_alphabet alphabet)
{
    const char *digits = alphabets[alphabet];
    char *out = arena_array(arena, bytes.len / 3 + 1, 4);
    size_t len = 0;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t group = (uint32_t)(unsigned char)bytes.ptr[i] << 16;
        if (left > 1)
            group |= (uint32_t)(unsigned char)bytes.ptr[i + 1] << 8;
        if (left > 2)
            group |= (unsigned char)bytes.ptr[i + 2];
        out[len++] = digits[group >> 18];
        out[len++] = digits[group >> 12 & 63];
        if (left > 1)
            out[len++] = digits[group >> 6 & 63];
        if (left > 2)
            out[len++] = digits[group & 63];
    }
    while (alphabet == BASE64_STANDARD && len % 4 != 0)
        out[len++] = '=';
    return (struct str){out, len};
}

static int digit_of(char c, enum base64_alphabet alphabet)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (alphabet == BASE64_URL ? '-' : '+'))
        return 62;
    return c == (alphabet == BASE64_URL ? '_' : '/') ? 63 : -1;
}

/* Digits without their padding; false when the padding is wrong. */
static bool strip_padding(struct str *text, enum base64_alphabet alphabet)
{
    if (alphabet != BASE64_STANDARD)
        return text->len % 4 != 1;
    if (text->len % 4 != 0)
        return false;
    for (int i = 0; i < 2 && str_ends(*text, STR("=")); i++)
        text->len--;
    return true;
}

bool base64_decode(struct arena *arena, struct str text, enum base64_alphabet alphabet, struct str *ret_bytes)
{
    if (!strip_padding(&text, alphabet))
        return false;
    unsigned char *out = arena_alloc(arena, text.len / 4 * 3 + 3);
    size_t len = 0;
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = digit_of(text.ptr[i], alphabet);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[len++] = (unsigned char)(bits >> have);
            bits &= (1u << have) - 1;
        }
    }
    if (bits != 0) /* set bits behind the last byte: not what an encoder writes */
        return false;
    *ret_bytes = (struct str){(const char *)out, len};
    return true;
}
