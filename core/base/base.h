/* base.h — the vocabulary every module speaks: memory, text and errors. Knows no network and no Kubernetes. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/str.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
