/* tree.h — what stands in a folder, as one text that a test can compare. */
#pragma once
#include "core/base/base.h"

/* "path=bytes;…" of the files below a folder, sorted, without our own bookkeeping. */
struct str tree_content(struct arena *arena, const char *dir);
