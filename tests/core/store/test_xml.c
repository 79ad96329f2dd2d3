/* The XML that S3 sends, and the XML that it must never be taken in by. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/store/xml.h"

struct seen {
    struct arena *arena;
    struct buf lines;
};

static bool see(void *ctx, struct str path, struct str text, struct err *err)
{
    struct seen *seen = ctx;
    buf_fmt(&seen->lines, "%.*s=%.*s\n", STR_ARG(path), STR_ARG(text));
    return true;
}

static const char *read_all(struct seen *seen, struct str text, struct err *err)
{
    buf_clear(&seen->lines);
    bool good = xml_read(text, see, seen, err);
    buf_char(&seen->lines, '\0');
    return good ? seen->lines.ptr : NULL;
}

Test(xml, elements_come_when_they_end_with_their_text)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"<a/>", "a=\n"},
        {"<a></a >", "a=\n"},
        {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a><b>x</b><b>y</b></a>\n", "a/b=x\na/b=y\na=\n"},
        {"<a xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\" b='c > d'>t</a>", "a=t\n"},
        {"<a> x <!-- <b> --> y </a>", "a= x  y \n"},
        {"<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x1F30D;</a>", "a=<&>\"'A\xF0\x9F\x8C\x8D\n"},
        {"<L><C><K>a/b &amp; c</K><S>5</S></C></L>", "L/C/K=a/b & c\nL/C/S=5\nL/C=\nL=\n"},
        {"<E><H/><C>NoSuchKey</C></E>", "E/H=\nE/C=NoSuchKey\nE=\n"},
    };
    struct seen seen = {.arena = arena_new()};
    buf_init(&seen.lines, 1 << 20);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct err err = {0};
        const char *got = read_all(&seen, str_of(rows[i].text), &err);
        cr_expect(got != NULL && !strcmp(got, rows[i].want), "%s: %s%s", rows[i].text, got ? got : "",
                  err.msg);
    }
    buf_done(&seen.lines);
    arena_free(seen.arena);
}

Test(xml, what_is_malformed_or_dangerous_is_refused)
{
    static const char *const texts[] = {
        "",
        "   ",
        "text",
        "<",
        "<a",
        "<a>",
        "<a></b>",
        "</a>",
        "<a/><b/>",
        "<a/>x",
        "x<a/>",
        "<a/>&amp;",
        "<a b></a>",
        "<a b=c></a>",
        "<a b=\"c></a>",
        "<a>&nbsp;</a>",
        "<a>&#0;</a>",
        "<a>&#xD800;</a>",
        "<a>&#x110000;</a>",
        "<a>&#;</a>",
        "<a>&#x;</a>",
        "<a>&amp</a>",
        "<a>&#99999999999;</a>",
        "<a><!-- x</a>",
        "<a><![CDATA[x]]></a>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
        "<a><?php x ?></a>",
        "<a/><?xml version=\"1.0\"?>",
        "<a>\xff</a>",
        "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a></a></a></a></"
        "a></a></a></a>"
        "</a></a>",
    };
    struct seen seen = {.arena = arena_new()};
    buf_init(&seen.lines, 1 << 20);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct err err = {0};
        cr_expect_null(read_all(&seen, str_of(texts[i]), &err), "%s", texts[i]);
        cr_expect_eq(err.code, ERR_CORRUPT, "%s: %s", texts[i], err.msg);
    }
    buf_done(&seen.lines);
    arena_free(seen.arena);
}

Test(xml, every_cut_of_a_document_is_refused)
{
    static const char text[] = "<?xml version=\"1.0\"?><L a=\"b\"><C><K>x&amp;y</K></C><!-- c --><D/></L>";
    struct seen seen = {.arena = arena_new()};
    buf_init(&seen.lines, 1 << 20);
    for (size_t len = 0; len < sizeof text - 1; len++) {
        struct err err = {0};
        char *copy = arena_alloc(seen.arena, len + 1);
        memcpy(copy, text, len);
        cr_expect_null(read_all(&seen, (struct str){copy, len}, &err), "%zu", len);
    }
    buf_done(&seen.lines);
    arena_free(seen.arena);
}
