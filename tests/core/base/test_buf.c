#include "core/base/base.h"

#include <criterion/criterion.h>
#include <string.h>

Test(buf, collects_text)
{
    struct buf buf CLEANUP(buf_done);
    buf_init(&buf, 1000);
    buf_text(&buf, "a");
    buf_str(&buf, STR("bc"));
    buf_str(&buf, STR_NONE);
    buf_char(&buf, '-');
    buf_repeat(&buf, '=', 3);
    buf_repeat(&buf, '=', 0);
    buf_fmt(&buf, "%d%s", 42, "!");
    buf_fmt(&buf, "%s", "");
    cr_expect(buf_ok(&buf));
    cr_expect(str_is(buf_view(&buf), "abc-===42!"));
    buf_clear(&buf);
    cr_expect_eq(buf_view(&buf).len, 0);
}

Test(buf, the_maximum_holds_and_failure_sticks)
{
    struct buf buf CLEANUP(buf_done);
    buf_init(&buf, 10);
    buf_text(&buf, "0123456789");
    cr_expect(buf_ok(&buf));
    buf_char(&buf, 'x');
    cr_expect_not(buf_ok(&buf));
    buf_repeat(&buf, 'y', 2);
    buf_fmt(&buf, "z");
    cr_expect(str_is(buf_view(&buf), "0123456789"));
    buf_clear(&buf);
    buf_repeat(&buf, 'y', 11);
    cr_expect_not(buf_ok(&buf));
    buf_clear(&buf);
    cr_expect(buf_ok(&buf));
    cr_expect_null(buf_reserve(&buf, 11));
}

Test(buf, grows_past_its_first_sizes)
{
    struct buf buf CLEANUP(buf_done);
    buf_init(&buf, SIZE_MAX);
    for (int i = 0; i < 100000; i++)
        buf_fmt(&buf, "%d,", i % 10);
    cr_expect_eq(buf.len, 200000);
    char *room = buf_reserve(&buf, 1 << 20);
    memset(room, 'x', 1 << 20);
    buf.len += 1 << 20;
    cr_expect_eq(buf_view(&buf).ptr[buf.len - 1], 'x');
    cr_expect_null(buf_reserve(&buf, SIZE_MAX - 5));
    buf_done(&buf);
    buf_done(&buf);
}
