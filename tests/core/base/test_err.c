#include "core/base/base.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(err, context_is_added_in_front)
{
    struct err err;
    cr_expect_not(err_set(&err, ERR_DENIED, "HTTP %d", 403));
    cr_expect_not(err_context(&err, "list %s", "deployments"));
    cr_expect_str_eq(err.msg, "list deployments: HTTP 403");
    cr_expect_eq(err.code, ERR_DENIED);
}

Test(err, the_advice_closest_to_the_fault_wins)
{
    struct err err;
    err_set(&err, ERR_IO, "x");
    cr_expect_not(err_next(&err, "first %d", 1));
    err_next(&err, "second");
    cr_expect_str_eq(err.next, "first 1");
    err_set(&err, ERR_IO, "y");
    cr_expect_str_eq(err.next, "");
}

Test(err, errno_says_what_kind)
{
    static const struct {
        int number;
        enum err_code code;
    } cases[] = {{ENOENT, ERR_NOT_FOUND},
                 {ENOTDIR, ERR_NOT_FOUND},
                 {EEXIST, ERR_EXISTS},
                 {EACCES, ERR_DENIED},
                 {EROFS, ERR_DENIED},
                 {EINTR, ERR_INTERRUPTED},
                 {ECONNREFUSED, ERR_UNREACHABLE},
                 {ENOSPC, ERR_IO},
                 {EDQUOT, ERR_IO},
                 {EIO, ERR_IO}};
    struct err err;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        errno = cases[i].number;
        cr_expect_not(err_errno(&err, "open %s", "x"));
        cr_expect_eq(err.code, cases[i].code, "%s", err.msg);
        cr_expect(strncmp(err.msg, "open x: ", 8) == 0, "%s", err.msg);
        cr_expect_eq(err.next[0] != '\0', cases[i].number == ENOSPC || cases[i].number == EDQUOT);
    }
}

Test(err, too_long_is_cut_and_never_overflows)
{
    struct err err;
    char text[3000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    err_set(&err, ERR_IO, "%s", text);
    cr_expect_eq(strlen(err.msg), sizeof err.msg - 1);
    err_context(&err, "%s", text);
    err_next(&err, "%s", text);
    cr_expect_eq(strlen(err.msg), sizeof err.msg - 1);
    cr_expect_eq(strlen(err.next), sizeof err.next - 1);
}

Test(err, every_code_has_its_row)
{
    for (int code = 0; code < ERR_COUNT; code++) {
        cr_expect(err_name((enum err_code)code)[0] != '\0');
        cr_expect(err_meaning((enum err_code)code)[0] != '\0');
        cr_expect_eq(err_exit_status((enum err_code)code) == 0, code == ERR_NONE);
        cr_expect_geq(err_http_status((enum err_code)code), 200);
    }
    cr_expect_str_eq(err_name((enum err_code)999), "INTERNAL");
}
