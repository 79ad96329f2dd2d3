/* Secrets in the repository: in every mode, per environment, and that an unchanged one is no change. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/base/yaml.h"
#include "core/crypto/age.h"
#include "core/crypto/sealed.h"
#include "core/secrets/open.h"
#include "core/secrets/protect.h"
#include "tests/harness/certs.h"
#include "tests/harness/program.h"
#include "tests/overlays/fixture.h"

#define NAMESPACE "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
#define SECRETS                                                                                              \
    "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop, labels: {app: db}}\n"               \
    "immutable: true\nstringData: {password: hunter22-marker, user: shop}\n---\n"                            \
    "apiVersion: v1\nkind: Secret\nmetadata: {name: only, namespace: lone}\ntype: example.com/own\n"         \
    "data: {token: aHVudGVyMjItbWFya2Vy}\n"

static struct arena *kept; /* what all runs of one test share */
static const char *folder;
static struct cert pair;
static struct str recipient;

static void set_up(void)
{
    struct age_identity identity;
    struct age_recipient public;
    struct err err;
    kept = arena_new();
    folder = temp_folder(kept);
    pair = cert_make(kept, &(struct cert_wish){.common_name = "controller", .rsa = true, .to_days = 90});
    cr_assert(age_keygen(&identity, &err) && age_recipient_of(&identity, &public, &err), "%s", err.msg);
    recipient = age_recipient_text(kept, &public);
    const char *cert_file = str_c(kept, str_fmt(kept, "%s/cert.pem", folder)),
               *key_file = str_c(kept, str_fmt(kept, "%s/age.agekey", folder));
    cr_assert(file_write(cert_file, pair.cert_pem, 0644, &err) &&
                  file_write(key_file, age_identity_text(kept, &identity), 0600, &err),
              "%s", err.msg);
}

static void tear_down(void)
{
    temp_remove(folder);
    arena_free(kept);
}

TestSuite(secrets, .init = set_up, .fini = tear_down);

/* An environment of each mode; settings of all of them. */
static void begin(struct overlays_fixture *f)
{
    static const enum secrets_mode modes[] = {SECRETS_SOPS, SECRETS_SEALED, SECRETS_EXTERNAL};
    overlays_fixture_init(f);
    f->config.state_dir = str_fmt(f->arena, "%s/state", folder);
    f->config.cluster_name = STR("prod-eu");
    f->config.secrets.certificate = str_fmt(f->arena, "%s/cert.pem", folder);
    f->config.secrets.store = STR("vault");
    *ARENA_PUSH(f->arena, &f->config.secrets.recipients) = recipient;
    for (size_t i = 0; i < COUNT_OF(modes); i++)
        f->config.environments.items[i].secrets.mode = modes[i];
    overlays_fixture_secrets(f, SECRETS);
}

static void end(struct overlays_fixture *f)
{
    secrets_forget(&f->run);
    overlays_fixture_done(f);
}

static void use_identity(struct overlays_fixture *f)
{
    f->config.identity_file = str_fmt(f->arena, "%s/age.agekey", folder);
}

static const struct value *document(struct overlays_fixture *f, const char *path)
{
    struct yaml_documents documents;
    struct str text = overlays_fixture_file(f, path);
    cr_assert_neq(text.len, 0, "there is no %s", path);
    cr_assert(yaml_parse(f->arena, text, str_of(path), &documents, &f->err), "%s", f->err.msg);
    return documents.items[0].root;
}

Test(secrets, every_environment_has_them_in_its_own_form)
{
    struct overlays_fixture f;
    begin(&f);
    overlays_fixture_stage(&f, NAMESPACE);

    const struct value *sops = document(&f, "overlays/dev/shop/secrets/secret-db.yaml");
    cr_expect(str_starts(value_str_in(sops, PATH("data", "password")), STR("ENC[")));
    cr_expect(value_true(value_key(sops, "immutable")));

    const struct value *sealed = document(&f, "overlays/staging/shop/secrets/sealedsecret-db.yaml");
    struct str text = value_str_in(sealed, PATH("spec", "encryptedData", "password")), value;
    cr_assert(sealed_open(f.arena, pair.key_pem, SEALED_STRICT, STR("shop"), STR("db"), text, &value, &f.err),
              "%s", f.err.msg);
    cr_expect(str_is(value, "hunter22-marker"));
    const struct value *template = value_in(sealed, PATH("spec", "template"));
    cr_expect(str_is(value_str_in(template, PATH("metadata", "labels", "app")), "db"));
    cr_expect(value_true(value_key(template, "immutable")));
    cr_expect(str_is(value_str(value_key(template, "type")), "Opaque"));

    const struct value *external = document(&f, "overlays/prod/lone/secrets/externalsecret-only.yaml");
    const struct value *data = value_item(value_in(external, PATH("spec", "data")), 0);
    cr_expect(str_is(value_str_in(data, PATH("remoteRef", "key")), "prod-eu/lone/only"));
    cr_expect(str_is(value_str_in(data, PATH("remoteRef", "property")), "token"));
    cr_expect(str_is(value_str_in(external, PATH("spec", "target", "template", "type")), "example.com/own"));
    end(&f);
}

Test(secrets, no_value_is_anywhere_in_what_is_written)
{
    struct overlays_fixture f;
    begin(&f);
    overlays_fixture_stage(&f, NAMESPACE);
    struct str marker = STR("hunter22-marker"), encoded = base64_encode(f.arena, marker, BASE64_STANDARD);
    for (size_t i = 0; i < f.run.files.count; i++) {
        const struct file *file = &f.run.files.items[i];
        cr_expect_not(str_contains(file->bytes, marker), "%.*s", STR_ARG(file->path));
        cr_expect_not(str_contains(file->bytes, str_slice(encoded, 0, 12)), "%.*s", STR_ARG(file->path));
    }
    end(&f);
}

Test(secrets, a_namespace_of_secrets_alone_is_deployed_where_they_are)
{
    struct overlays_fixture f;
    struct bundle rendered;
    begin(&f);
    f.config.environments.items[2].secrets.mode = SECRETS_OMIT;
    overlays_fixture_stage(&f, NAMESPACE);
    overlays_fixture_render(&f, "dev", &rendered);
    bundle_sort(&rendered);
    cr_expect_not_null(bundle_find(&rendered, STR_NONE, STR("Secret"), STR("lone"), STR("only")));
    cr_expect_neq(overlays_fixture_file(&f, "flux/dev/30-lone.yaml").len, 0);
    cr_expect_eq(overlays_fixture_file(&f, "flux/prod/30-lone.yaml").len, 0);
    overlays_fixture_render(&f, "prod", &rendered);
    cr_expect_eq(rendered.count, 1, "the namespace and nothing else");
    end(&f);
}

Test(secrets, flux_is_told_to_decrypt_where_sops_is_used)
{
    struct overlays_fixture f;
    begin(&f);
    overlays_fixture_stage(&f, NAMESPACE);
    struct str dev = overlays_fixture_file(&f, "flux/dev/30-shop.yaml"),
               staging = overlays_fixture_file(&f, "flux/staging/30-shop.yaml");
    cr_expect(
        str_contains(dev, STR("decryption:\n    provider: sops\n    secretRef:\n      name: sops-age\n")));
    cr_expect_not(str_contains(staging, STR("decryption")));
    cr_expect(str_contains(overlays_fixture_file(&f, "README.md"), STR("KSOPS")));
    cr_expect(str_contains(
        overlays_fixture_file(&f, "README.md"),
        STR("| shop | db | Opaque | `password` `user` | store vault, key `prod-eu/shop/db` | prod |")));
    end(&f);
}

/* ---- what did not change ---- */

static void keep(struct overlays_fixture *f, struct files *files, bool remember)
{
    *files = (struct files){0};
    for (size_t i = 0; i < f->run.files.count; i++)
        cr_assert(
            files_add(f->arena, files, f->run.files.items[i].path, f->run.files.items[i].bytes, &f->err));
    if (remember)
        cr_assert(secrets_remember(&f->run, false, &f->err), "%s", f->err.msg);
}

/* How many files differ when the same is converted again over `before`. */
static size_t differences(struct overlays_fixture *f, const struct files *before)
{
    size_t count = 0;
    secrets_forget(&f->run);
    const struct files_in previous = {.files = before};
    f->run.previous = &previous;
    cr_assert(overlays_stage(&f->run, &f->bundle, &f->err), "%s", f->err.msg);
    for (size_t i = 0; i < f->run.files.count; i++) {
        const struct file *had = files_find(before, f->run.files.items[i].path);
        count += had == NULL || !str_eq(had->bytes, f->run.files.items[i].bytes);
    }
    f->run.previous = NULL;
    return count;
}

Test(secrets, converting_again_changes_nothing)
{
    struct overlays_fixture f;
    struct files before;
    begin(&f);
    overlays_fixture_stage(&f, NAMESPACE);
    keep(&f, &before, true);
    cr_expect_eq(differences(&f, &before), 0);
    end(&f);
}

Test(secrets, without_a_memory_an_identity_tells_that_nothing_changed)
{
    struct overlays_fixture f;
    struct files before;
    begin(&f);
    overlays_fixture_stage(&f, NAMESPACE);
    keep(&f, &before, false);
    cr_expect_eq(differences(&f, &before), 4, "sealed and sops, two Secrets each");
    use_identity(&f);
    cr_expect_eq(differences(&f, &before), 2, "what is sealed cannot be read");
    end(&f);
}

Test(secrets, only_the_value_that_changed_is_encrypted_anew)
{
    struct overlays_fixture f;
    struct files before;
    begin(&f);
    use_identity(&f);
    overlays_fixture_stage(&f, NAMESPACE);
    keep(&f, &before, true);
    const struct value *sops = document(&f, "overlays/dev/shop/secrets/secret-db.yaml"),
                       *sealed = document(&f, "overlays/staging/shop/secrets/sealedsecret-db.yaml");
    f.run.secrets.items[1].object = value_with_in(f.arena, f.run.secrets.items[1].object,
                                                  PATH("stringData", "password"), value_cstr(f.arena, "new"));
    cr_assert(str_is(f.run.secrets.items[1].name, "db"));
    cr_expect_eq(differences(&f, &before), 2);
    const struct value *sops_now = document(&f, "overlays/dev/shop/secrets/secret-db.yaml"),
                       *sealed_now = document(&f, "overlays/staging/shop/secrets/sealedsecret-db.yaml");
    cr_expect(value_equal(value_in(sops, PATH("data", "user")), value_in(sops_now, PATH("data", "user"))));
    cr_expect(value_equal(value_in(sealed, PATH("spec", "encryptedData", "user")),
                          value_in(sealed_now, PATH("spec", "encryptedData", "user"))));
    cr_expect_not(
        value_equal(value_in(sops, PATH("data", "password")), value_in(sops_now, PATH("data", "password"))));
    cr_expect_not(value_equal(value_in(sealed, PATH("spec", "encryptedData", "password")),
                              value_in(sealed_now, PATH("spec", "encryptedData", "password"))));
    end(&f);
}

/* Somebody who may write to the repository, but knows no value, puts documents there that we can read. */
Test(secrets, what_others_wrote_is_not_gone_on_with)
{
    struct overlays_fixture f;
    struct files planted, before;
    begin(&f);
    use_identity(&f);
    overlays_fixture_stage(&f, NAMESPACE);
    keep(&f, &before, true);
    struct resource db = f.run.secrets.items[1], guess = db;
    guess.object =
        value_with_in(f.arena, db.object, PATH("stringData", "password"), value_cstr(f.arena, "a guess"));
    f.run.secrets.items[1] = guess;
    f.config.state_dir = STR_NONE;
    secrets_forget(&f.run);
    cr_assert(overlays_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
    keep(&f, &planted, false);
    const struct value *theirs = document(&f, "overlays/dev/shop/secrets/secret-db.yaml");
    f.run.secrets.items[1] = db;
    f.config.state_dir = str_fmt(f.arena, "%s/state", folder);
    differences(&f, &planted);
    const struct value *ours = document(&f, "overlays/dev/shop/secrets/secret-db.yaml");
    cr_expect_not(value_equal(value_in(theirs, PATH("sops", "age")), value_in(ours, PATH("sops", "age"))),
                  "their data key is not ours to use");
    cr_expect_not(value_equal(value_in(theirs, PATH("data", "user")), value_in(ours, PATH("data", "user"))));
    end(&f);
}

/* ---- rebuilding and checking ---- */

Test(secrets, rendered_ones_open_by_identity_or_come_from_the_backup)
{
    static const char *const environments[] = {"dev", "staging", "prod"};
    for (size_t i = 0; i < COUNT_OF(environments); i++)
        for (int with_identity = 0; with_identity < 2; with_identity++) {
            struct overlays_fixture f;
            struct bundle rendered;
            begin(&f);
            overlays_fixture_stage(&f, NAMESPACE);
            overlays_fixture_render(&f, environments[i], &rendered);
            if (with_identity)
                use_identity(&f);
            cr_assert(secrets_open(&f.run, &rendered, &f.run.secrets, NULL, &f.err), "%s", f.err.msg);
            bundle_sort(&rendered);
            const struct resource *db =
                bundle_find(&rendered, STR_NONE, STR("Secret"), STR("shop"), STR("db"));
            cr_expect_eq(db != NULL, i == 0 && with_identity);
            if (db != NULL)
                cr_expect(str_is(value_str_in(db->object, PATH("data", "password")), "aHVudGVyMjItbWFya2Vy"));
            cr_expect_eq(rendered.count, db ? 3 : 1, "%s %d", environments[i], with_identity);
            end(&f);
        }
}

Test(secrets, without_identity_and_backup_sops_is_an_error_and_the_others_stay)
{
    struct overlays_fixture f;
    struct bundle rendered;
    begin(&f);
    overlays_fixture_stage(&f, NAMESPACE);
    overlays_fixture_render(&f, "dev", &rendered);
    cr_expect_not(secrets_open(&f.run, &rendered, NULL, NULL, &f.err));
    cr_expect_eq(f.err.code, ERR_DENIED);
    cr_expect_not_null(strstr(f.err.next, "--identity"));
    overlays_fixture_render(&f, "staging", &rendered);
    cr_assert(secrets_open(&f.run, &rendered, NULL, NULL, &f.err), "%s", f.err.msg);
    cr_expect_eq(rendered.count, 3);
    end(&f);
}

static const char *checked(struct overlays_fixture *f, size_t environment, const struct resource *resource)
{
    struct secrets_check *check;
    cr_assert(secrets_check_open(&f->run, f->arena, &f->config.environments.items[environment],
                                 &f->run.secrets, &check, &f->err));
    return secrets_check_one(check, resource);
}

Test(secrets, what_was_written_is_what_the_cluster_has)
{
    struct overlays_fixture f;
    struct bundle rendered;
    begin(&f);
    use_identity(&f);
    overlays_fixture_stage(&f, NAMESPACE);
    for (size_t environment = 0; environment < 3; environment++) {
        overlays_fixture_render(&f, str_c(f.arena, f.config.environments.items[environment].name), &rendered);
        for (size_t i = 0; i < rendered.count; i++) {
            struct resource *resource = &rendered.items[i];
            if (str_is(resource->kind, "Namespace"))
                continue;
            cr_expect_null(checked(&f, environment, resource), "%.*s", STR_ARG(resource->kind));
            struct resource other = *resource;
            other.namespace = STR("other");
            cr_expect_not_null(checked(&f, environment, &other));
            cr_expect_not_null(checked(&f, (environment + 1) % 3, resource),
                               "the form of another environment");
        }
    }
    overlays_fixture_render(&f, "dev", &rendered);
    bundle_sort(&rendered);
    struct resource db = *bundle_find(&rendered, STR_NONE, STR("Secret"), STR("shop"), STR("db"));
    f.run.secrets.items[1].object = value_with_in(f.arena, f.run.secrets.items[1].object,
                                                  PATH("stringData", "password"), value_cstr(f.arena, "new"));
    cr_expect_not_null(checked(&f, 0, &db), "other values than the cluster has");
    end(&f);
}

Test(secrets, a_store_is_told_which_values_are_no_text)
{
    struct overlays_fixture f;
    begin(&f);
    overlays_fixture_secrets(&f, "apiVersion: v1\nkind: Secret\nmetadata: {name: raw, namespace: shop}\n"
                                 "data: {bytes: /wAB, text: YWJj}\n");
    overlays_fixture_stage(&f, NAMESPACE);
    const struct value *data =
        value_in(document(&f, "overlays/prod/shop/secrets/externalsecret-raw.yaml"), PATH("spec", "data"));
    cr_expect(str_is(value_str_in(value_item(data, 0), PATH("remoteRef", "decodingStrategy")), "Base64"));
    cr_expect_null(value_in(value_item(data, 1), PATH("remoteRef", "decodingStrategy")));
    end(&f);
}

/* A strict seal holds in one namespace only: the one that the environment has. */
Test(secrets, in_an_environment_with_other_namespaces_they_are_at_home_there)
{
    struct overlays_fixture f;
    begin(&f);
    use_identity(&f);
    for (size_t i = 0; i < 3; i++)
        f.config.environments.items[i].namespace_suffix = STR("-x");
    overlays_fixture_stage(&f, NAMESPACE);
    const struct value *sealed = document(&f, "overlays/staging/shop/secrets/sealedsecret-db.yaml");
    struct str text = value_str_in(sealed, PATH("spec", "encryptedData", "password")), value;
    cr_expect(str_is(value_str_in(sealed, PATH("metadata", "namespace")), "shop-x"));
    cr_expect(
        sealed_open(f.arena, pair.key_pem, SEALED_STRICT, STR("shop-x"), STR("db"), text, &value, &f.err),
        "%s", f.err.msg);
    for (size_t i = 0; i < 3; i++) {
        const struct config_environment *environment = &f.config.environments.items[i];
        struct bundle rendered;
        overlays_fixture_render(&f, str_c(f.arena, environment->name), &rendered);
        for (size_t j = 0; j < rendered.count; j++)
            if (!str_is(rendered.items[j].kind, "Namespace")) {
                cr_expect(str_ends(rendered.items[j].namespace, STR("-x")));
                cr_expect_null(checked(&f, i, &rendered.items[j]));
            }
        cr_assert(secrets_open(&f.run, &rendered, &f.run.secrets, environment, &f.err), "%s", f.err.msg);
        cr_expect_eq(rendered.count, i == 0 ? 3 : 1);
    }
    end(&f);
}

/* ---- what is wrong with the settings ---- */

Test(secrets, settings_that_cannot_work_are_named)
{
    for (size_t i = 0; i < 5; i++) {
        struct overlays_fixture f;
        begin(&f);
        struct config_secrets *all = &f.config.secrets;
        if (i == 0)
            all->recipients.count = 0;
        else if (i == 1)
            all->certificate = STR("/nowhere/cert.pem");
        else if (i == 2)
            all->store = STR_NONE;
        else if (i == 3)
            all->external_key = STR("{cluster}/{nmespace}");
        else
            f.config.environments.items[0].secrets.mode = SECRETS_REFUSE, all->mode = SECRETS_REFUSE;
        cr_expect_not(overlays_stage(&f.run, &f.bundle, &f.err), "case %zu", i);
        cr_expect(f.err.code == (i == 1   ? ERR_NOT_FOUND
                                 : i == 4 ? ERR_REFUSED
                                          : ERR_USAGE),
                  "case %zu: %s", i, f.err.msg);
        cr_expect_null(strstr(f.err.msg, "hunter22"));
        end(&f);
    }
}

Test(secrets, a_value_in_the_base_is_refused_whoever_put_it_there)
{
    struct overlays_fixture f;
    begin(&f);
    cr_assert(bundle_read_text(&f.bundle, STR(SECRETS), STR("in.yaml"), &f.err));
    cr_expect_not(overlays_stage(&f.run, &f.bundle, &f.err));
    cr_expect_eq(f.err.code, ERR_REFUSED);
    end(&f);
}

Test(secrets, values_that_stand_in_the_clear_are_refused_unless_said_otherwise)
{
    struct overlays_fixture f;
    begin(&f);
    f.run.readable = 2;
    *ARENA_PUSH(f.arena, &f.run.findings) = (struct finding){.check = STR("secrets.readable"),
                                                             .kind = STR("ConfigMap"),
                                                             .namespace = STR("shop"),
                                                             .name = STR("a")};
    cr_expect_not(overlays_stage(&f.run, &f.bundle, &f.err));
    cr_expect_eq(f.err.code, ERR_REFUSED);
    cr_expect_not_null(strstr(f.err.msg, "shop/ConfigMap/a"));
    f.config.secrets_in_clear = IN_CLEAR_REPORT;
    cr_expect(overlays_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
    end(&f);
}

Test(secrets, a_certificate_that_expires_soon_is_told)
{
    struct overlays_fixture f;
    struct clock later = {.fixed_ms = clock_now_ms(NULL) + (int64_t)70 * 86400 * 1000};
    begin(&f);
    overlays_fixture_stage(&f, NAMESPACE);
    cr_expect_eq(f.run.findings.count, 0);
    f.run.clock = &later;
    cr_assert(overlays_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
    cr_assert_eq(f.run.findings.count, 1);
    cr_expect(str_is(f.run.findings.items[0].check, "secrets.certificate-expires"));
    end(&f);
}

Test(secrets, what_is_omitted_is_one_finding_and_one_line)
{
    struct overlays_fixture f;
    begin(&f);
    for (size_t i = 0; i < 3; i++)
        f.config.environments.items[i].secrets.mode = i == 1 ? SECRETS_SOPS : SECRETS_OMIT;
    overlays_fixture_stage(&f, NAMESPACE);
    cr_assert_eq(f.run.findings.count, 2);
    cr_expect(str_contains(
                  f.run.findings.items[1].message,
                  STR("left out of dev, prod; provide shop/db, type Opaque, with the keys: password, user")),
              "%.*s", STR_ARG(f.run.findings.items[1].message));
    const struct value *list = value_in(run_report(&f.run), PATH("overlays", "secrets", "toProvide"));
    cr_expect_eq(value_count(list), 2);
    cr_expect_eq(value_count(value_key(value_item(list, 0), "environments")), 2);
    end(&f);
}
