/* formats.h — the writers behind report_write, one file each. All append to `buf`; `arena` is for scratch. */
#pragma once
#include "core/base/value.h"

void report_html(struct arena *arena, const struct value *report, struct buf *buf);
void report_markdown(struct arena *arena, const struct value *report, struct buf *buf);
void report_json(struct arena *arena, const struct value *report, struct buf *buf);
