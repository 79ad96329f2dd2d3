/* doctor.h — the pre-flight checks, for doctor and for the first phase of run. */
#pragma once
#include "cli/cli.h"

/* [{name, ok, detail, message?, next?}], in the order cluster, store, git, quality of the configuration. */
const struct value *doctor_checks(struct cli *cli);
bool doctor_all_ok(const struct value *checks);
