/* report.h — what a run found out, for people and for scripts.
 *
 * The report is the value tree of run_report(): one map per section. The writers here only lay it out: HTML (one file,
 * nothing loaded from elsewhere, prints well), Markdown (fits a pull request) and JSON (the tree itself behind a
 * schemaVersion). All three say so at the top when the cluster was the sandbox. Every text comes from outside and is
 * escaped for its format. Known sections are read as below; a key that is missing is left out, a section that is not
 * known is laid out by its keys.
 *
 *   run        {started, finished, sandbox, cluster, version (the server's), phases: [{name, ok, ms, summary}]}
 *   backup     {id, cluster, takenAt, objects, complete, missing, durationMs, …}
 *   score      as score.h writes it
 *   verify     {clean, problems: [text], …}
 *   publish    {commit, withheld: [path], …}
 *   drill      {name, ok, sandbox, recoveryTimeMs, recoveryPointMs, steps: [{name, ok, ms, startMs, summary}], …}; a map or a
 *              list of them. startMs counts from the drill's begin; without it steps follow one another.
 *   findings   what stages other than the score found: [{check, severity, resource, path, message, fix}]; report_stage
 *              makes it from run->findings
 *
 * Keys that end in Ms are shown as durations, those that begin or end in bytes as sizes. Fails with IO.
 */
#pragma once
#include "core/run.h"

enum { REPORT_SCHEMA_VERSION = 1, REPORT_MAX_BYTES = 256 << 20 };

enum report_format { REPORT_HTML, REPORT_MARKDOWN, REPORT_JSON };

/* "html", "markdown" or "md", "json". */
bool report_format_of(struct str name, enum report_format *ret_format);

/* Appends the report in a format; what does not fit shows in buf_ok. `arena` is for scratch. */
void report_write(enum report_format format, struct arena *arena, const struct value *report,
                  struct buf *buf);

/* Writes report.html, report.md and report.json into config->report_dir, which is made when it is missing. */
bool report_stage(struct run *run, struct bundle *bundle, struct err *err) WARN_UNUSED;
