#include "core/secrets/protector.h"
#include "core/kube/kube.h"

enum { MAX_FILE = 1 << 20 };
static const int64_t WARN_BEFORE_MS = (int64_t)30 * 24 * 3600 * 1000;

/* ---- the certificate ---- */

static bool ask_controller(struct protector *protector, struct str *ret_pem, struct err *err)
{
    const struct config_secrets *settings = &protector->settings;
    struct kube_options options = {.kubeconfig = protector->run->config->cluster_kubeconfig,
                                   .context = settings->controller_context.len
                                                  ? settings->controller_context
                                                  : protector->run->config->cluster_context};
    struct kube *kube;
    bool ok = kube_open(protector->arena, &options, &kube, err);
    if (ok) {
        ok = kube_service_text(kube, protector->arena, settings->controller_namespace,
                               settings->controller_name, STR("/v1/cert.pem"), ret_pem, err);
        kube_close(kube);
    }
    if (ok)
        return true;
    err_context(err, "certificate of the Sealed Secrets controller");
    return err_next(err,
                    "name a certificate file: secrets.certificate (kubeseal --fetch-cert > FILE writes one), "
                    "or say where the controller is: secrets.controller");
}

static void warn_of_end(const struct protector *protector)
{
    struct run *run = protector->run;
    int64_t end_ms = sealed_certificate_end_ms(protector->certificate);
    if (end_ms > clock_now_ms(run->clock) + WARN_BEFORE_MS)
        return;
    *ARENA_PUSH(run->arena, &run->findings) = (struct finding){
        .check = STR("secrets.certificate-expires"),
        .severity = SEVERITY_WARNING,
        .message = str_fmt(run->arena, "the certificate that Secrets of %.*s are sealed with expires at %.*s",
                           STR_ARG(protector->environment->name), STR_ARG(clock_rfc3339(run->arena, end_ms))),
        .fix =
            STR("fetch the controller's newest one (kubeseal --fetch-cert), then gitops-pipe secrets rotate"),
    };
}

static struct str settings_of(const struct protector *protector)
{
    struct sha256 id = sealed_certificate_id(protector->certificate);
    return str_fmt(protector->arena, "sealed %d %.*s", protector->settings.scope,
                   STR_ARG(sha256_hex(protector->arena, &id)));
}

bool protector_need_certificate(struct protector *protector, struct err *err)
{
    struct str file = protector->settings.certificate, pem;
    if (protector->certificate != NULL)
        return true;
    bool ok = file.len ? file_read(protector->arena, str_c(protector->arena, file), MAX_FILE, &pem, err)
                       : ask_controller(protector, &pem, err);
    if (!ok)
        return false;
    if (!sealed_certificate_open(pem, clock_now_ms(protector->run->clock), &protector->certificate, err))
        return err_context(err, "%.*s", STR_ARG(file.len ? file : STR("certificate of the controller")));
    protector->sealed_settings = settings_of(protector);
    warn_of_end(protector);
    return true;
}

/* ---- one environment ---- */

bool protector_open(struct run *run, const struct config_environment *environment,
                    struct protector **ret_protector, struct err *err)
{
    struct protector *protector = ARENA_NEW(run->arena, struct protector);
    protector->run = run;
    protector->arena = run->arena;
    protector->environment = environment;
    protector->settings = config_secrets_of(run->config, environment);
    if (run->memory == NULL && !secrets_memory_open(run->arena, run->config->state_dir, &run->memory, err))
        return false;
    *ret_protector = protector;
    return true;
}

void protector_close(struct protector *protector)
{
    if (protector != NULL)
        sealed_certificate_free(protector->certificate);
}

static void leave_out(struct protected_secret *protected, const char *why)
{
    protected->mode = SECRETS_OMIT;
    protected->why = why;
}

static bool write_form(const struct form *form, struct protected_secret *protected,
                       const struct value **ret_object, struct err *err)
{
    switch (protected->mode) {
    case SECRETS_SEALED: return form_sealed(form, ret_object, err);
    case SECRETS_SOPS: return form_sops(form, ret_object, err);
    case SECRETS_EXTERNAL: return form_external(form, &protected->store_key, ret_object, err);
    default: return err_set(err, ERR_REFUSED, "no way to keep it safe was chosen");
    }
}

bool protector_apply(struct protector *protector, struct arena *arena, const struct resource *secret,
                     enum secrets_mode mode, struct protected_secret *ret_protected, struct err *err)
{
    struct protected_secret protected = {.environment = protector->environment,
                                         .secret = *secret,
                                         .namespace = secret->namespace,
                                         .mode = mode};
    struct secret_entries entries = {0};
    struct err why;
    const struct value *object = NULL;
    if (!secrets_entries(arena, secret->object, &entries, &why))
        leave_out(&protected, str_c(arena, str_of(why.msg)));
    for (size_t i = 0; i < entries.count; i++)
        *ARENA_PUSH(arena, &protected.keys) = entries.items[i].key;
    if (protected.mode != SECRETS_OMIT && secrets_is_opening_key(secret, mode))
        leave_out(&protected, "it holds the key that opens the others");
    struct str id = str_fmt(arena, "%.*s/%.*s/%.*s", STR_ARG(protector->environment->name),
                            STR_ARG(secret->namespace), STR_ARG(secret->name));
    struct form form = {protector, arena, secret, &entries, id};
    if (protected.mode != SECRETS_OMIT && (!write_form(&form, &protected, &object, err) ||
                                           !resource_from(object, secret->origin, &protected.written, err)))
        return err_context(err, "%.*s: Secret %.*s/%.*s", STR_ARG(protector->environment->name),
                           STR_ARG(secret->namespace), STR_ARG(secret->name));
    *ret_protected = protected;
    return true;
}
