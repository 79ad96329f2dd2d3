#include "core/base/secrecy.h"

#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>

void secrecy_of_process(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}
