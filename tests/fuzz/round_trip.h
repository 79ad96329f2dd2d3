/* round_trip.h — a tree that was read must come back the same from what we write, in JSON and in YAML. */
#pragma once
#include "core/base/value.h"

void fuzz_round_trip(struct arena *arena, const struct value *value);
