/* routes.h — what the daemon answers: a row per method and path, one function each. */
#pragma once
#include "core/base/value.h"

/* A request that a route answers. Everything lives in `arena`, which ends with the request. */
struct request {
    struct arena *arena;
    struct str method, path, body;
};

struct answer {
    int status;
    const struct value *body;
    struct str allow; /* of a 405: the methods that the path has */
};

/* Finds the route and runs it; a fault becomes an answer too. */
void routes_answer(const struct request *request, struct answer *ret_answer);
/* An error as every route reports it. */
const struct value *routes_error(struct arena *arena, const char *code, const char *message,
                                 const char *next);
