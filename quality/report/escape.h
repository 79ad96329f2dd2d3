/* escape.h — texts from outside, made harmless for a format.
 *
 * Control characters and the marks that turn the direction of writing become U+FFFD in every format, for they let a
 * name pass for another one.
 */
#pragma once
#include "core/base/base.h"

/* For element content and for attribute values between quotes. Line feeds and tabs stay. */
void escape_html(struct buf *buf, struct str text);
/* For one line of Markdown or a table cell: no mark-up, no HTML, no line break, no mention of anybody. */
void escape_markdown(struct buf *buf, struct str text);
