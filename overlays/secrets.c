/* Secrets in the repository: a file each in the overlay of their environment, and what people have to know of them. */
#include "core/config/config.h"
#include "overlays/writer.h"

static struct secret_notes *notes_of(const struct writer *writer, const struct layout_group *group)
{
    return &writer->secrets[group - writer->layout->items];
}

void secrets_note(struct writer *writer, const struct layout_group *group,
                  const struct protected_secrets *secrets)
{
    struct secret_notes *notes = notes_of(writer, group);
    struct arena *arena = writer->run->arena; /* the part goes */
    size_t environments = writer->run->config->environments.count;
    for (size_t i = 0; i < secrets->count; i++)
        *ARENA_PUSH(arena, notes) = secret_note_of(arena, &secrets->items[i]);
    notes->secrets = environments ? secrets->count / environments : 0;
}

bool secrets_any(const struct writer *writer, const struct config_environment *environment,
                 const struct layout_group *group)
{
    const struct secret_notes *notes = notes_of(writer, group);
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i].environment == environment && notes->items[i].written)
            return true;
    return false;
}

bool secrets_any_of(const struct writer *writer, const struct config_environment *environment,
                    const struct layout_group *group, enum secrets_mode mode)
{
    const struct secret_notes *notes = notes_of(writer, group);
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i].environment == environment && notes->items[i].mode == mode)
            return true;
    return false;
}

bool secrets_write(struct writer *writer, const struct config_environment *environment,
                   const struct protected_secrets *secrets, struct str folder,
                   struct value_list_builder *resources)
{
    struct arena *arena = writer->arena;
    for (size_t i = 0; i < secrets->count; i++) {
        const struct protected_secret *secret = &secrets->items[i];
        if (secret->environment != environment || secret->written.object == NULL)
            continue;
        struct str file = layout_file(arena, &secret->written);
        value_push(arena, resources, value_string(arena, str_fmt(arena, "secrets/%.*s", STR_ARG(file))));
        if (!writer_document(writer, str_fmt(arena, "%.*s/secrets/%.*s", STR_ARG(folder), STR_ARG(file)),
                             STR_NONE, writer_ordered(arena, secret->written.object)))
            return false;
    }
    return true;
}

/* ---- what has to be provided ---- */

static const struct value *texts(struct arena *arena, const struct str_list *list)
{
    struct value_list_builder values = {0};
    for (size_t i = 0; i < list->count; i++)
        value_push(arena, &values, value_string(arena, list->items[i]));
    return value_list_done(arena, &values);
}

static const struct value *one_to_provide(struct writer *writer, const struct secret_note *secret,
                                          const struct value *environments)
{
    struct arena *arena = writer->arena;
    struct config_secrets settings = config_secrets_of(writer->run->config, secret->environment);
    bool external = secret->mode == SECRETS_EXTERNAL;
    return VALUE_MAP(arena, {"namespace", value_string(arena, secret->namespace)},
                     {"name", value_string(arena, secret->name)}, {"type", value_string(arena, secret->type)},
                     {"keys", texts(arena, &secret->keys)}, {"environments", environments},
                     {"store", external ? value_string(arena, settings.store) : NULL},
                     {"storeKey", external ? value_string(arena, secret->store_key) : NULL},
                     {"why", secret->why ? value_cstr(arena, secret->why) : NULL});
}

static bool wants_providing(const struct secret_note *secret)
{
    return secret->mode == SECRETS_OMIT || secret->mode == SECRETS_EXTERNAL;
}

static bool is_same_wish(const struct secret_note *a, const struct secret_note *b)
{
    return a->mode == b->mode && str_eq(a->store_key, b->store_key) && str_eq(a->namespace, b->namespace);
}

/* One entry for all environments that want the same of it. */
static void provide_secret(struct writer *writer, const struct secret_notes *notes, size_t secret,
                           struct value_list_builder *list)
{
    struct arena *arena = writer->arena;
    for (size_t i = secret; i < notes->count; i += notes->secrets) {
        struct value_list_builder places = {0};
        bool told = !wants_providing(&notes->items[i]);
        for (size_t j = secret; j < notes->count; j += notes->secrets) {
            if (!is_same_wish(&notes->items[i], &notes->items[j]))
                continue;
            told = told || j < i;
            value_push(arena, &places, value_string(arena, notes->items[j].environment->name));
        }
        if (!told)
            value_push(arena, list,
                       one_to_provide(writer, &notes->items[i], value_list_done(arena, &places)));
    }
}

const struct value *secrets_to_provide(struct writer *writer)
{
    struct value_list_builder list = {0};
    for (size_t i = 0; i < writer->layout->count; i++)
        for (size_t secret = 0; secret < writer->secrets[i].secrets; secret++)
            provide_secret(writer, &writer->secrets[i], secret, &list);
    return value_list_done(writer->arena, &list);
}

static size_t count_of_mode(const struct writer *writer, enum secrets_mode mode)
{
    size_t count = 0;
    for (size_t i = 0; i < writer->layout->count; i++)
        for (size_t j = 0; j < writer->secrets[i].count; j++)
            count += writer->secrets[i].items[j].mode == mode;
    return count;
}

/* How many are written in each mode, over all environments. */
static const struct value *mode_counts(struct writer *writer)
{
    struct value_map_builder map = {0};
    for (int mode = 0; mode <= SECRETS_EXTERNAL; mode++) {
        size_t count = count_of_mode(writer, (enum secrets_mode)mode);
        if (count != 0)
            value_put(writer->arena, &map, str_of(config_secrets_name((enum secrets_mode)mode)),
                      value_int(writer->arena, (int64_t)count));
    }
    return value_map_done(writer->arena, &map);
}

const struct value *secrets_section(struct writer *writer)
{
    struct arena *arena = writer->arena;
    size_t secrets = 0;
    for (size_t i = 0; i < writer->layout->count; i++)
        secrets += writer->secrets[i].secrets;
    return VALUE_MAP(arena,
                     {"mode", value_cstr(arena, config_secrets_name(writer->run->config->secrets.mode))},
                     {"secrets", value_int(arena, (int64_t)secrets)}, {"written", mode_counts(writer)},
                     {"toProvide", secrets_to_provide(writer)});
}

/* ---- the README ---- */

static void write_table(const struct value *list, struct buf *out)
{
    buf_text(out, "| namespace | name | type | keys | where | environments |\n|---|---|---|---|---|---|\n");
    VALUE_EACH(secret, list) {
        struct str key = value_str(value_key(secret, "storeKey"));
        buf_fmt(out, "| %.*s | %.*s | %.*s |", STR_ARG(value_str(value_key(secret, "namespace"))),
                STR_ARG(value_str(value_key(secret, "name"))), STR_ARG(value_str(value_key(secret, "type"))));
        VALUE_EACH(name, value_key(secret, "keys"))
            buf_fmt(out, " `%.*s`", STR_ARG(value_str(name)));
        if (key.len != 0)
            buf_fmt(out, " | store %.*s, key `%.*s` |", STR_ARG(value_str(value_key(secret, "store"))),
                    STR_ARG(key));
        else
            buf_text(out, " | the cluster |");
        VALUE_EACH(environment, value_key(secret, "environments"))
            buf_fmt(out, " %.*s", STR_ARG(value_str(environment)));
        buf_text(out, " |\n");
    }
}

void secrets_readme(struct writer *writer, struct buf *out)
{
    const struct value *list = secrets_to_provide(writer);
    bool sops = count_of_mode(writer, SECRETS_SOPS) != 0, sealed = count_of_mode(writer, SECRETS_SEALED) != 0,
         external = count_of_mode(writer, SECRETS_EXTERNAL) != 0;
    if (sops || sealed || external)
        buf_text(out,
                 "\n## Secrets\n\nThey lie in `overlays/<environment>/<namespace>/secrets/`; no value can be "
                 "read there.\n\n");
    if (sops)
        buf_text(
            out,
            "- **SOPS with age.** Flux decrypts by itself, with the age identity in a Secret of its own:\n"
            "  `kubectl -n flux-system create secret generic sops-age --from-file=age.agekey=FILE`. Argo CD "
            "does not: it needs\n  a plugin that runs sops, such as KSOPS; without one it would apply the "
            "encrypted texts. By hand:\n  `sops --decrypt FILE | kubectl apply --server-side -f -`. "
            "`gitops-pipe restore` decrypts.\n");
    if (sealed)
        buf_text(out,
                 "- **SealedSecrets.** The Sealed Secrets controller of the cluster that the certificate "
                 "came from unseals them; another\n  cluster needs that controller's key, or Secrets sealed "
                 "anew (`gitops-pipe secrets rotate`).\n");
    if (external)
        buf_text(out,
                 "- **ExternalSecrets.** The External Secrets operator reads them from the store; the values "
                 "are not in this repository.\n");
    if (value_count(list) == 0)
        return;
    buf_text(out, "\n## Secrets that must be provided\n\nTheir values are in the backup, and nowhere in this "
                  "repository.\n\n");
    write_table(list, out);
}
