/* leak.h — secrets in places where they are not secret.
 *
 * Three questions, each with a finding and never with a value: does a name promise a secret (DB_PASSWORD, clientSecret)?
 * Is a text one by its form (a private key, a URL with a password, a token of a known make)? Is it, or does it hold, the
 * value of a Secret that the same cluster has, as it is or in base64? One place for the words and forms: scoring and
 * transforming ask here. Nothing fails.
 */
#pragma once
#include "core/kube/resource.h"

/* The name promises a secret; one that goes on to say where it is (PASSWORD_FILE, SECRET_NAME) does not. */
bool leak_name(struct str name);
/* What the text is by its form, in words ("a private key"); NULL: nothing known. */
const char *leak_form(struct str text);
/* Either of both, for a setting: `text` under `name`. References ("$(X)", a path) and switches are none. */
const char *leak_setting(struct str name, struct str text);

/* ---- values of Secrets ---- */

/* Knows a value again without keeping it: of each there is a hash of the whole, and a few bits by which most places of a
 * text are passed over. It is filled with one Secret after the other, sealed, and from then on only read, by any number of
 * threads. */
struct leak_index;

struct leak_hit {
    struct str namespace, name, key; /* of the Secret; alive as long as the index */
    bool encoded;                    /* it stands there in base64 */
};

struct leak_index *leak_index_new(struct arena *arena);
/* Takes the values that tell themselves apart from ordinary words. Certificates, user names, hosts and the like are none;
 * of JSON and of lines "name = value" the parts count that sound secret. What is no Secret, or cannot be read, adds
 * nothing. The Secret may be gone afterwards. */
void leak_index_add(struct leak_index *index, const struct resource *secret);
/* Nothing is added any more. NULL where there is nothing to find. */
const struct leak_index *leak_index_seal(struct leak_index *index);
/* The first of them in the text; linear in its length. One that was made to look like a value at every place is taken to
 * hold it. `index` may be NULL. */
bool leak_find(const struct leak_index *index, struct str text, struct leak_hit *ret_hit);
