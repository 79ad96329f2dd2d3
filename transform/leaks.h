/* leaks.h — values of Secrets that would be readable in the repository although no Secret is. */
#pragma once
#include "core/run.h"

/* Looks through everything that is declared, and through what kubectl keeps as last-applied, for values of the Secrets
 * that were read. Findings name object, path and Secret, never a value. Sets run->readable. */
void leaks_report(struct run *run, const struct bundle *live, const struct bundle *declared,
                  const struct bundle *set_aside);
