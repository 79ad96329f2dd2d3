/* yaml.h — YAML text to value trees and back (YAML 1.1 as Kubernetes tools read it).
 *
 * Reading goes through libyaml's events; plain scalars resolve as Go's sigs.k8s.io/yaml resolves them (the "core"
 * types of YAML 1.1: yes/on/~/0x1f/1_000/.inf …), and a number that JSON cannot spell becomes its decimal value.
 * Depth is bounded while events arrive (libyaml itself is quadratic in depth), aliases by what they expand to,
 * duplicate keys and non-string keys are errors. Faults name file, line and column.
 * Writing is block style, strings quoted only where a plain one would read back as something else, multi-line
 * texts as literal blocks; what is written reads back identically through libyaml and through Go's yaml readers.
 * Fails with INVALID (malformed) and LIMIT (beyond the limits).
 */
#pragma once
#include "core/base/value.h"

struct yaml_document {
    const struct value *root; /* never NULL; an empty document is null */
    size_t line;              /* where it starts, 1-based */
};

struct yaml_documents {
    struct yaml_document *items;
    size_t count, cap;
};

/* Reads every document of a stream. `name` (a file name, or "-") goes into messages. */
bool yaml_parse(struct arena *arena, struct str text, struct str name, struct yaml_documents *ret_documents,
                struct err *err) WARN_UNUSED;
/* The same for a piece of a file that starts at line `first_line` (1-based) of it. */
bool yaml_parse_at(struct arena *arena, struct str text, struct str name, size_t first_line,
                   struct yaml_documents *ret_documents, struct err *err) WARN_UNUSED;

/* Writes one document without a leading "---", ending in a newline. */
void yaml_write(struct buf *buf, const struct value *value);

/* Where the key or item that a JSON pointer leads to starts in the first document of `text`: for messages about what
 * a file says. False when there is no such place. Lines and columns count from 1. */
bool yaml_locate(struct str text, struct str pointer, size_t *ret_line, size_t *ret_column);
