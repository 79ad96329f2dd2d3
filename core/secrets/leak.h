/* leak.h — secrets in places where they are not secret.
 *
 * Three questions, each with a finding and never with a value: does a name promise a secret (DB_PASSWORD, clientSecret)?
 * Is a text one by its form (a private key, a URL with a password, a token of a known make)? Is it, or does it hold, the
 * value of a Secret that the same cluster has, as it is or in base64? One place for the words and forms: scoring and
 * transforming ask here. Nothing fails.
 */
#pragma once
#include "core/kube/bundle.h"

/* The name promises a secret; one that goes on to say where it is (PASSWORD_FILE, SECRET_NAME) does not. */
bool leak_name(struct str name);
/* What the text is by its form, in words ("a private key"); NULL: nothing known. */
const char *leak_form(struct str text);
/* Either of both, for a setting: `text` under `name`. References ("$(X)", a path) and switches are none. */
const char *leak_setting(struct str name, struct str text);

/* ---- values of Secrets ---- */

struct leak_index;

struct leak_hit {
    const struct resource *secret;
    struct str key;
    bool encoded; /* it stands there in base64 */
};

/* Of all Secrets of a bundle: values that tell themselves apart from ordinary words. Certificates, user names, hosts and
 * the like are none; of JSON and of lines "name = value" the parts count that sound secret. NULL where there is none. */
const struct leak_index *leak_index_of(struct arena *arena, const struct bundle *bundle);
/* The first of them in the text; linear in its length. `index` may be NULL. */
bool leak_find(const struct leak_index *index, struct str text, struct leak_hit *ret_hit);
