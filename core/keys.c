#include "core/keys.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/base/files.h"
#include "core/config/config.h"
#include "core/run.h"

enum { IDENTITY_MAX_BYTES = 1 << 20 };

bool keys_recipients(struct run *run, struct age_recipients *ret_recipients, struct err *err)
{
    *ret_recipients = (struct age_recipients){0};
    if (run->config == NULL)
        return true;
    return age_recipients_parse(run->arena, &run->config->encrypt_recipients, ret_recipients, err) ||
           err_context(err, "encrypt.recipients");
}

/* A key that others on this machine can read is no secret; ssh refuses one for the same reason. */
static bool check_mode(const char *path, struct err *err)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return err_errno(err, "%s", path);
    if (!S_ISREG(status.st_mode) || (status.st_mode & (S_IRWXG | S_IRWXO)) == 0)
        return true;
    /* A Secret mounted with fsGroup is 0440 and belongs to root: its reader cannot change that. */
    if ((status.st_mode & (S_IWGRP | S_IRWXO)) == 0 && status.st_uid == 0)
        return true;
    err_set(err, ERR_DENIED, "%s can be read by others", path);
    return err_next(err, "chmod 600 %s", path);
}

static bool identities_of_file(struct run *run, struct age_identities *identities, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct str text = STR_NONE, name = run->config->identity_file;
    const char *path = str_c(scratch, name);
    if (!check_mode(path, err) || !file_read(scratch, path, IDENTITY_MAX_BYTES, &text, err))
        return false;
    bool good = age_identities_parse(run->arena, text, name, identities, err);
    OPENSSL_cleanse((void *)text.ptr, text.len);
    return good;
}

static bool has_file(const struct run *run)
{
    return run->config != NULL && run->config->identity_file.len != 0;
}

bool keys_at_hand(const struct run *run)
{
    const char *environment = getenv(KEYS_ENVIRONMENT);
    return has_file(run) || (environment != NULL && *environment != '\0');
}

bool keys_identities(struct run *run, struct age_identities *ret_identities, struct err *err)
{
    if (has_file(run))
        return identities_of_file(run, ret_identities, err) || err_context(err, "identity");
    if (keys_at_hand(run))
        return age_identities_parse(run->arena, str_of(getenv(KEYS_ENVIRONMENT)), STR("$" KEYS_ENVIRONMENT),
                                    ret_identities, err);
    err_set(err, ERR_DENIED, "it is encrypted, and no age identity is named to read it");
    return err_next(err, "name a file with --identity or encrypt.identityFile, or set $%s", KEYS_ENVIRONMENT);
}

bool keys_kept(struct run *run, const struct age_identities **ret_identities, struct err *err)
{
    static const struct age_identities none = {0};
    struct age_identities *kept;
    *ret_identities = run->identities != NULL ? run->identities : &none;
    if (run->identities != NULL || !keys_at_hand(run))
        return true;
    kept = ARENA_NEW(run->arena, struct age_identities);
    if (!keys_identities(run, kept, err))
        return false;
    *ret_identities = run->identities = kept;
    return true;
}

void keys_forget(struct run *run)
{
    if (run->identities != NULL)
        age_wipe(run->identities);
    run->identities = NULL;
}
