/* secrets: a key to encrypt with, and Secrets of a repository encrypted anew. */
#include <fcntl.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/base/yaml.h"
#include "core/crypto/age.h"
#include "core/crypto/sops.h"
#include "core/keys.h"
#include "core/secrets/earlier.h"
#include "core/secrets/protect.h"
#include "transform/transform.h"

enum { MAX_DOCUMENT = 64 << 20, MAX_SECRET_FILES = 1 << 30 };

/* ---- keygen ---- */

static bool write_all(int fd, struct str text)
{
    while (text.len != 0) {
        ssize_t done = write(fd, text.ptr, text.len);
        if (done <= 0)
            return false;
        text = str_from(text, (size_t)done);
    }
    return fsync(fd) == 0;
}

/* Never over a file that is there: it may be the only key to what is in git. */
static bool write_identity(struct cli *cli, const char *path, struct str text, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(err, "%s", path);
    bool ok = write_all(fd, text);
    if (!ok)
        err_errno(err, "%s", path);
    if (close(fd) != 0 && ok)
        ok = err_errno(err, "%s", path);
    if (!ok)
        unlink(path);
    return ok;
}

static void print_recipient(struct cli *cli, const struct value *result, struct buf *out)
{
    buf_fmt(out, "%.*s\n", STR_ARG(value_str(value_key(result, "recipient"))));
}

static bool keygen(struct cli *cli, struct str file, struct err *err)
{
    struct arena *arena = cli->arena;
    struct age_identity identity;
    struct age_recipient recipient;
    if (!age_keygen(&identity, err) || !age_recipient_of(&identity, &recipient, err))
        return false;
    struct str public = age_recipient_text(arena, &recipient), secret = age_identity_text(arena, &identity);
    struct str text =
        str_fmt(arena, "# created: %.*s\n# public key: %.*s\n%.*s\n",
                STR_ARG(clock_rfc3339(arena, clock_now_ms(&cli->clock))), STR_ARG(public), STR_ARG(secret));
    bool ok = write_identity(cli, str_c(arena, file), text, err);
    OPENSSL_cleanse((void *)text.ptr, text.len);
    OPENSSL_cleanse((void *)secret.ptr, secret.len);
    OPENSSL_cleanse(&identity, sizeof identity);
    if (!ok)
        return false;
    cli_note(cli, "%.*s decrypts what is encrypted for it: keep it out of git, and keep a copy elsewhere",
             STR_ARG(file));
    return cli_print(cli,
                     VALUE_MAP(arena, {"recipient", value_string(arena, public)},
                               {"identityFile", value_string(arena, file)}),
                     print_recipient, err);
}

/* ---- rotate ---- */

struct rotation {
    struct cli *cli;
    struct str dir;
    const struct config_environment *environment; /* the one at hand */
    struct earlier_secrets earlier;
    struct age_identities identities;
    struct bundle backup; /* of the repository; loaded when a sealed Secret wants its values */
    bool backup_loaded;
    struct files rotated;
    struct value_list_builder left;
};

/* The Secrets of the backup as convert declares them: without what the cluster added. */
static bool need_backup(struct rotation *rotation, struct err *err)
{
    struct cli *cli = rotation->cli;
    struct transform_log log;
    if (rotation->backup_loaded)
        return true;
    if (!cli_load_origin(cli, rotation->dir, &rotation->backup, err))
        return false;
    cli_secrets_mode(cli, SECRETS_OMIT); /* rotation names the mode of each itself */
    rotation->backup_loaded = transform_run(&cli->run, &rotation->backup, &log, err);
    bundle_sort(&cli->run.secrets);
    return rotation->backup_loaded;
}

static bool from_backup(struct rotation *rotation, struct arena *arena, const struct resource *sealed,
                        struct resource *ret_secret, struct err *err)
{
    struct run *run = &rotation->cli->run;
    if (!need_backup(rotation, err))
        return false;
    const struct resource *found =
        secrets_find(arena, &run->secrets, rotation->environment, sealed->namespace, sealed->name);
    if (found == NULL) {
        err_set(err, ERR_NOT_FOUND, "the backup of this repository has no Secret %.*s/%.*s",
                STR_ARG(sealed->namespace), STR_ARG(sealed->name));
        return err_next(err, "convert again, from a backup that has it");
    }
    *ret_secret = *found;
    ret_secret->namespace = sealed->namespace;
    return true;
}

static bool from_sops(struct rotation *rotation, struct arena *arena, const struct resource *encrypted,
                      struct resource *ret_secret, struct err *err)
{
    struct cli *cli = rotation->cli;
    if (rotation->identities.count == 0 && !keys_identities(&cli->run, &rotation->identities, err))
        return false;
    *ret_secret = *encrypted;
    return sops_decrypt(arena, encrypted->object, &rotation->identities, &ret_secret->object, err);
}

static bool keep_document(struct rotation *rotation, const struct earlier_secret *earlier,
                          const struct value *object, struct err *err)
{
    struct arena *arena = rotation->cli->arena;
    struct buf text CLEANUP(buf_done);
    struct str path = earlier->resource.origin;
    buf_init(&text, MAX_DOCUMENT);
    yaml_write(&text, object);
    if (!buf_ok(&text))
        return err_set(err, ERR_LIMIT, "%.*s: too large", STR_ARG(path));
    return files_add(arena, &rotation->rotated, path, str_dup(arena, buf_view(&text)), err);
}

/* Only when every Secret could be encrypted is any file touched. */
static bool write_documents(struct rotation *rotation, struct err *err)
{
    struct arena *arena = rotation->cli->arena;
    for (size_t i = 0; i < rotation->rotated.count; i++) {
        const struct file *file = &rotation->rotated.items[i];
        struct str path = str_fmt(arena, "%.*s/%.*s", STR_ARG(rotation->dir), STR_ARG(file->path));
        if (!file_write(str_c(arena, path), file->bytes, 0644, err))
            return false;
    }
    return secrets_remember(&rotation->cli->run, true, err);
}

static bool rotate_one(struct rotation *rotation, struct protector *protector,
                       const struct earlier_secret *earlier, struct err *err)
{
    const struct resource *was = &earlier->resource;
    bool sops = sops_is_encrypted(was->object), sealed = resource_is(was, "bitnami.com", "SealedSecret");
    struct resource secret = {0};
    struct protected_secret now;
    if (!sops && !sealed)
        return true; /* an ExternalSecret holds nothing that could be rotated here */
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new(); /* its values die before the next is read */
    if (!(sops ? from_sops : from_backup)(rotation, scratch, was, &secret, err) ||
        !protector_apply(protector, scratch, &secret, sops ? SECRETS_SOPS : SECRETS_SEALED, &now, err))
        return err_context(err, "%.*s", STR_ARG(was->origin));
    if (now.written.object == NULL)
        return err_set(err, ERR_REFUSED, "%.*s: %s", STR_ARG(was->origin), now.why);
    return keep_document(rotation, earlier, now.written.object, err);
}

static bool rotate_environment(struct rotation *rotation, const struct config_environment *environment,
                               struct err *err)
{
    struct protector *protector = NULL;
    rotation->environment = environment;
    bool ok = protector_open(&rotation->cli->run, environment, &protector, err);
    for (size_t i = 0; ok && i < rotation->earlier.count; i++)
        if (str_eq(rotation->earlier.items[i].environment, environment->name))
            ok = rotate_one(rotation, protector, &rotation->earlier.items[i], err);
    protector_close(protector);
    return ok;
}

/* Whoever drops an environment from the configuration keeps its files until the next convert. */
static void note_left(struct rotation *rotation)
{
    const struct config_environments *known = &rotation->cli->config.environments;
    for (size_t i = 0; i < rotation->earlier.count; i++) {
        const struct earlier_secret *secret = &rotation->earlier.items[i];
        bool found = false;
        for (size_t j = 0; j < known->count; j++)
            found = found || str_eq(known->items[j].name, secret->environment);
        if (!found)
            value_push(rotation->cli->arena, &rotation->left,
                       value_string(rotation->cli->arena, secret->resource.origin));
    }
    rotation->cli->incomplete = rotation->cli->incomplete || rotation->left.count != 0;
}

static void print_rotation(struct cli *cli, const struct value *result, struct buf *out)
{
    const struct value *left = value_key(result, "left");
    size_t count = value_count(value_key(result, "rotated"));
    buf_fmt(out, " %zu Secret%s %s\n", count, count == 1 ? "" : "s",
            value_true(value_key(result, "dryRun")) ? "would be encrypted anew" : "encrypted anew");
    VALUE_EACH(path, value_key(result, "rotated"))
        buf_fmt(out, "   %.*s\n", STR_ARG(value_str(path)));
    VALUE_EACH(path, left)
        buf_fmt(out, " left as it is, its environment is not configured: %.*s\n", STR_ARG(value_str(path)));
}

static bool rotate(struct cli *cli, struct str dir, struct err *err)
{
    struct rotation rotation = {.cli = cli, .dir = dir};
    const struct config_environments *environments = &cli->config.environments;
    bool dry = cli_has(cli, OPTION_DRY_RUN), ok = true;
    if (!cli_is_repository(cli, dir))
        return err_set(err, ERR_NOT_FOUND, "%.*s is no repository that convert wrote", STR_ARG(dir));
    struct files files;
    if (!files_read_wanted(cli->arena, str_c(cli->arena, dir), MAX_SECRET_FILES, earlier_is_path, &files,
                           err))
        return false;
    earlier_gather(cli->arena, &files, &rotation.earlier);
    note_left(&rotation);
    for (size_t i = 0; ok && i < environments->count; i++)
        ok = rotate_environment(&rotation, &environments->items[i], err);
    age_wipe(&rotation.identities);
    if (!ok || (!dry && !write_documents(&rotation, err)))
        return false;
    struct value_list_builder paths = {0};
    for (size_t i = 0; i < rotation.rotated.count; i++)
        value_push(cli->arena, &paths, value_string(cli->arena, rotation.rotated.items[i].path));
    return cli_print(cli,
                     VALUE_MAP(cli->arena, {"rotated", value_list_done(cli->arena, &paths)},
                               {"left", value_list_done(cli->arena, &rotation.left)},
                               {"dryRun", value_bool(cli->arena, dry)}),
                     print_rotation, err);
}

bool cmd_secrets(struct cli *cli, struct err *err)
{
    struct str what, where;
    if (!cli_argument(cli, 0, &what, err) || !cli_argument(cli, 1, &where, err))
        return false;
    if (str_is(what, "keygen"))
        return keygen(cli, where, err);
    if (str_is(what, "rotate"))
        return rotate(cli, where, err);
    err_set(err, ERR_USAGE, "secrets can keygen and rotate, not \"%.*s\"", STR_ARG(what));
    return err_next(err, "gitops-pipe secrets --help shows examples");
}
