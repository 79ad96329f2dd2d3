#include "backupd/daemon/routes.h"

#include "core/base/version.h"

typedef bool (*route_fn)(const struct request *request, const struct value **ret_body, struct err *err);

static bool get_health(const struct request *request, const struct value **ret_body, struct err *err)
{
    struct arena *arena = request->arena;
    *ret_body = VALUE_MAP(arena, {"status", value_cstr(arena, "ok")},
                          {"version", value_cstr(arena, GITOPS_PIPE_VERSION)});
    return true;
}

static const struct route {
    const char *method, *path;
    route_fn answer;
} routes[] = {
    {"GET", "/health", get_health},
};

const struct value *routes_error(struct arena *arena, const char *code, const char *message, const char *next)
{
    const struct value *error =
        VALUE_MAP(arena, {"code", value_cstr(arena, code)},
                  {"message", value_string(arena, str_dup(arena, str_of(message)))},
                  {"next", next && *next ? value_string(arena, str_dup(arena, str_of(next))) : NULL});
    return VALUE_MAP(arena, {"error", error});
}

static void fail(const struct request *request, struct answer *answer, const struct err *err)
{
    answer->status = err_http_status(err->code);
    answer->body = routes_error(request->arena, err_name(err->code), err->msg, err->next);
}

static bool method_fits(const struct route *route, struct str method)
{
    return str_is(method, route->method) || (str_is(method, "HEAD") && str_is(str_of(route->method), "GET"));
}

/* The path is there, the method is not: 405, which no code of err.def stands for. */
static void wrong_method(const struct request *request, const char *allowed, struct answer *answer)
{
    struct str message = str_fmt(request->arena, "%.*s does not go with %.*s", STR_ARG(request->method),
                                 STR_ARG(request->path));
    answer->status = 405;
    answer->allow = str_of(allowed);
    answer->body = routes_error(request->arena, err_name(ERR_USAGE), str_c(request->arena, message), NULL);
}

void routes_answer(const struct request *request, struct answer *ret_answer)
{
    const struct route *same_path = NULL;
    struct err err = {0};
    *ret_answer = (struct answer){.status = 200};
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        if (!str_is(request->path, routes[i].path))
            continue;
        same_path = &routes[i];
        if (!method_fits(same_path, request->method))
            continue;
        if (!same_path->answer(request, &ret_answer->body, &err))
            fail(request, ret_answer, &err);
        return;
    }
    if (same_path != NULL) {
        wrong_method(request, same_path->method, ret_answer);
        return;
    }
    err_set(&err, ERR_NOT_FOUND, "nothing is at %.*s", STR_ARG(str_slice(request->path, 0, 200)));
    fail(request, ret_answer, &err);
}
