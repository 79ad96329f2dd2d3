/* protector.h — what turns the Secrets of one environment into what may stand in git. For core/secrets only.
 *
 *   protect.c     the Secrets of a namespace for all environments, and what is remembered of them
 *   protector.c   one environment: its settings and certificate
 *   forms.c       the three forms that are written
 */
#pragma once
#include "core/crypto/age.h"
#include "core/crypto/sealed.h"
#include "core/secrets/earlier.h"
#include "core/secrets/memory.h"
#include "core/secrets/protect.h"

struct protector {
    struct run *run;
    struct arena *arena; /* of the run */
    const struct config_environment *environment;
    struct config_secrets settings;
    const struct earlier_secrets *earlier; /* of the namespace at hand; NULL: none is taken again */

    struct sealed_certificate *certificate; /* NULL until a Secret is sealed */
    struct str sealed_settings;             /* the certificate and the scope, for the memory */
};

/* The certificate, from its file or from the controller, once. */
bool protector_need_certificate(struct protector *protector, struct err *err) WARN_UNUSED;

/* One Secret and what is in it, on its way. */
struct form {
    struct protector *protector;
    struct arena *arena; /* of what is written */
    const struct resource *secret;
    const struct secret_entries *entries;
    struct str id; /* "env/namespace/name" */
};

/* Each returns the object to write; the first two note it in the memory. */
bool form_sealed(const struct form *form, const struct value **ret_object, struct err *err) WARN_UNUSED;
bool form_sops(const struct form *form, const struct value **ret_object, struct err *err) WARN_UNUSED;
bool form_external(const struct form *form, struct str *ret_store_key, const struct value **ret_object,
                   struct err *err) WARN_UNUSED;
