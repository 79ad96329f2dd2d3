#include "core/base/base64.h"
#include "core/crypto/age_intern.h"

#define BEGIN "-----BEGIN AGE ENCRYPTED FILE-----"
#define END   "-----END AGE ENCRYPTED FILE-----"

struct str age_armor(struct arena *arena, struct str file)
{
    struct str_list lines = {0};
    struct str text = base64_encode(arena, file, BASE64_STANDARD);
    *ARENA_PUSH(arena, &lines) = STR(BEGIN);
    for (size_t at = 0; at < text.len; at += AGE_COLUMNS)
        *ARENA_PUSH(arena, &lines) = str_slice(text, at, at + AGE_COLUMNS);
    *ARENA_PUSH(arena, &lines) = STR(END);
    *ARENA_PUSH(arena, &lines) = STR_NONE;
    return str_join(arena, lines.items, lines.count, STR("\n"));
}

static struct str take_line(struct str *rest)
{
    struct str line = str_cut(rest, '\n');
    if (str_ends(line, STR("\r")))
        line.len--;
    return line;
}

/* White space may stand around the armor, and nowhere in it. */
bool age_dearmor(struct arena *arena, struct str text, struct str *ret_file, struct err *err)
{
    struct str_list lines = {0};
    struct str rest = str_trim(text), line = take_line(&rest);
    bool ended = false, last = false;
    if (!str_is(line, BEGIN))
        return err_set(err, ERR_CORRUPT, "age armor: it does not begin with " BEGIN);
    while (!ended && rest.len != 0) {
        line = take_line(&rest);
        ended = str_is(line, END);
        if (ended)
            break;
        if (last || line.len == 0 || line.len > AGE_COLUMNS)
            return err_set(err, ERR_CORRUPT, "age armor: line %zu is no line of 64 characters",
                           lines.count + 2);
        last = line.len < AGE_COLUMNS || str_ends(line, STR("="));
        *ARENA_PUSH(arena, &lines) = line;
    }
    if (!ended || rest.len != 0)
        return err_set(err, ERR_CORRUPT, "age armor: it does not end with " END);
    return base64_decode(arena, str_join(arena, lines.items, lines.count, STR_NONE), BASE64_STANDARD,
                         ret_file) ||
           err_set(err, ERR_CORRUPT, "age armor: no base64");
}
