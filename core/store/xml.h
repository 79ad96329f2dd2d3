/* xml.h — the little XML that S3 speaks: elements, text, character references. A strict reader over one text.
 *
 * Each element is reported when it ends, with the names on the way to it and the text directly inside. Attributes and
 * comments are skipped. DOCTYPE, entities other than the five of XML 1.0, CDATA and processing instructions after the
 * first line are refused: S3 sends none, and they are where XML readers get hurt. Bounds: 16 levels, 1 MiB of text in
 * an element. Fails with CORRUPT, naming the offset. Source: XML 1.0, 5th edition, the part of it named here.
 */
#pragma once
#include "core/base/base.h"

/* `path` is "ListBucketResult/Contents/Key"; it and `text` live until the call returns; false stops with its err. */
typedef bool (*xml_element_fn)(void *ctx, struct str path, struct str text, struct err *err);

bool xml_read(struct str text, xml_element_fn element, void *ctx, struct err *err) WARN_UNUSED;
/* The text of the first element at `path`, in `arena`; CORRUPT where there is none. */
bool xml_text(struct arena *arena, struct str text, const char *path, struct str *ret_text,
              struct err *err) WARN_UNUSED;
