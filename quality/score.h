/* score.h — the stage that looks at a cluster and says how good it is.
 *
 * score_parts takes part after part (core/kube/parts.h), runs every check of checks.def over every object that is judged,
 * appends the findings to run->findings, and adds the section "score" to the report:
 *
 *   overall, grade            0–100 and its letter
 *   dimensions                {schema, security, production, resources}
 *   findings                  [{check, severity, dimension, resource{apiVersion,kind,namespace,name}, path, message,
 *                             fix}], errors first
 *   counts                    {errors, warnings, infos, objects, judged, children, excluded, notListed}
 *   namespaces                [{name, overall, grade, dimensions, objects, errors, warnings, infos}], or
 *                             {name, excluded: true}
 *   checks                    [{id, dimension, severity, message, fix, applied, violations, listed}]
 *
 * Scores are those of tally.h. It holds the objects of one part at a time, and of the rest what estate.h says; nothing
 * that it leaves behind points into them. It fails only when it cannot work at all; a bad object is a finding.
 */
#pragma once
#include "core/kube/parts.h"
#include "core/run.h"

bool score_parts(struct run *run, const struct parts *parts, struct err *err) WARN_UNUSED;
/* The same of a sorted bundle. */
bool score_stage(struct run *run, struct bundle *bundle, struct err *err) WARN_UNUSED;

/* Holds the section against quality.gate and quality.failOn. Fails with FINDINGS and says what missed and by how much;
 * also when there was nothing to judge while a gate is set. */
bool score_gate(const struct config *config, const struct value *section, struct err *err) WARN_UNUSED;

/* The section for people: errors first, grouped by check, bounded. `colour` adds terminal colours. Control characters
 * in names never reach the terminal. */
void score_write_text(struct buf *buf, const struct value *section, bool colour);
