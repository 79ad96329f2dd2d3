/* Secrets that are protected namespace after namespace: what comes of them, what is read once, and what stays behind. */
#include "core/secrets/protect.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include "core/base/base64.h"
#include "core/base/json.h"
#include "core/base/yaml.h"
#include "core/config/config.h"
#include "core/crypto/age.h"
#include "core/secrets/open.h"
#include "tests/harness/certs.h"
#include "tests/harness/program.h"

#define MARKER "hunter22-marker"

static const char SECRETS[] =
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: blog, labels: {app: blog}}\n"
    "stringData: {password: " MARKER ", user: blog}\n---\n"
    "apiVersion: v1\nkind: Secret\nmetadata: {name: broken, namespace: blog}\ndata: {key: \"!\"}\n---\n"
    "apiVersion: v1\nkind: Secret\nmetadata: {name: only, namespace: lone}\ntype: example.com/own\n"
    "data: {token: aHVudGVyMjItbWFya2Vy}\n---\n"
    "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nimmutable: true\n"
    "stringData: {password: " MARKER "}\n---\n"
    "apiVersion: v1\nkind: Secret\nmetadata: {name: left-out, namespace: shop}\nstringData: {k: " MARKER "}\n"
    "---\n"
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: sealing\n  namespace: tools\n"
    "  labels: {sealedsecrets.bitnami.com/sealed-secrets-key: active}\nstringData: {tls.key: " MARKER "}\n";

struct fixture {
    struct files_in previous;
    struct arena *arena; /* of the test */
    const char *folder, *cert_file, *key_file;
    struct config config;
    struct run run; /* with an arena of its own */
    struct bundle secrets;
    struct err err;
};

static void begin(struct fixture *f)
{
    static const enum secrets_mode modes[] = {SECRETS_SOPS, SECRETS_SEALED, SECRETS_EXTERNAL};
    struct age_identity identity;
    struct age_recipient public;
    *f = (struct fixture){.arena = arena_new()};
    f->folder = temp_folder(f->arena);
    f->cert_file = str_c(f->arena, str_fmt(f->arena, "%s/cert.pem", f->folder));
    f->key_file = str_c(f->arena, str_fmt(f->arena, "%s/age.agekey", f->folder));
    struct cert pair =
        cert_make(f->arena, &(struct cert_wish){.common_name = "controller", .rsa = true, .to_days = 90});
    cr_assert(age_keygen(&identity, &f->err) && age_recipient_of(&identity, &public, &f->err));
    cr_assert(file_write(f->cert_file, pair.cert_pem, 0644, &f->err));
    cr_assert(file_write(f->key_file, age_identity_text(f->arena, &identity), 0600, &f->err));

    config_defaults(f->arena, &f->config);
    f->config.state_dir = str_fmt(f->arena, "%s/state", f->folder);
    f->config.identity_file = str_of(f->key_file);
    f->config.secrets.certificate = str_of(f->cert_file);
    f->config.secrets.store = STR("vault");
    *ARENA_PUSH(f->arena, &f->config.secrets.recipients) = age_recipient_text(f->arena, &public);
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        f->config.environments.items[i].secrets.mode = modes[i];
        f->config.environments.items[i].namespace_suffix = i == 1 ? STR("-x") : STR_NONE;
    }
    struct config_secret_rule *rule = ARENA_PUSH(f->arena, &f->config.secret_rules);
    *rule = (struct config_secret_rule){.mode = SECRETS_OMIT};
    *ARENA_PUSH(f->arena, &rule->match.names) = STR("left-out");

    f->run = (struct run){.arena = arena_new(), .config = &f->config};
    bundle_init(&f->secrets, f->arena);
    cr_assert(bundle_read_text(&f->secrets, str_of(SECRETS), STR("in.yaml"), &f->err), "%s", f->err.msg);
    bundle_sort(&f->secrets);
}

/* The same settings and files, nothing known any more but the repository. */
static void begin_anew(struct fixture *f, const struct files *previous)
{
    f->previous = (struct files_in){.files = previous};
    secrets_forget(&f->run);
    arena_free(f->run.arena);
    f->run = (struct run){.arena = arena_new(), .config = &f->config, .previous = &f->previous};
}

static void end(struct fixture *f)
{
    secrets_forget(&f->run);
    arena_free(f->run.arena);
    temp_remove(f->folder);
    arena_free(f->arena);
}

/* ---- what came of them, one line a Secret ---- */

struct outcome {
    struct arena *arena;
    struct str_list lines; /* by environment and Secret, sorted */
    struct files files;    /* as the repository has them */
};

static void note(struct fixture *f, struct outcome *outcome, const struct protected_secrets *all)
{
    struct arena *arena = outcome->arena;
    for (size_t i = 0; i < all->count; i++) {
        struct secret_note n = secret_note_of(arena, &all->items[i]);
        struct str keys = str_join(arena, n.keys.items, n.keys.count, STR(","));
        const struct value *object = all->items[i].written.object;
        *ARENA_PUSH(arena, &outcome->lines) =
            str_fmt(arena, "%.*s %.*s(%.*s)/%.*s %.*s mode %d why %s keys %.*s store %.*s: %.*s",
                    STR_ARG(n.environment->name), STR_ARG(n.secret_namespace), STR_ARG(n.namespace),
                    STR_ARG(n.name), STR_ARG(n.type), n.mode, n.why ? n.why : "-", STR_ARG(keys),
                    STR_ARG(n.store_key), STR_ARG(n.written ? json_text(arena, object) : STR("nothing")));
        if (!n.written)
            continue;
        struct buf text CLEANUP(buf_done);
        buf_init(&text, 1 << 20);
        yaml_write(&text, object);
        struct str path = str_fmt(arena, "overlays/%.*s/%.*s/secrets/%.*s.yaml", STR_ARG(n.environment->name),
                                  STR_ARG(n.secret_namespace), STR_ARG(n.name));
        cr_assert(files_add(arena, &outcome->files, path, str_dup(arena, buf_view(&text)), &f->err));
    }
    if (outcome->lines.count != 0)
        qsort(outcome->lines.items, outcome->lines.count, sizeof *outcome->lines.items, str_qsort);
}

static void protect_whole(struct fixture *f, struct outcome *outcome)
{
    struct protection *protection = protection_open(&f->run);
    struct protected_secrets all;
    *outcome = (struct outcome){.arena = f->arena};
    cr_assert(protection_apply(protection, f->run.arena, &f->secrets, &all, &f->err), "%s", f->err.msg);
    note(f, outcome, &all);
    protection_close(protection);
}

/* Each namespace is read into an arena of its own, and gone before the next; `between` is called after the first. */
static void protect_parts(struct fixture *f, struct outcome *outcome, void (*between)(struct fixture *f))
{
    struct protection *protection = protection_open(&f->run);
    *outcome = (struct outcome){.arena = f->arena};
    for (size_t from = 0, to; from < f->secrets.count; from = to) {
        struct arena *part = arena_new();
        struct bundle secrets;
        struct protected_secrets all;
        bundle_init(&secrets, part);
        bundle_namespace(&f->secrets, f->secrets.items[from].namespace, &from, &to);
        for (size_t i = from; i < to; i++) {
            struct resource copy;
            const struct value *object;
            struct str text = json_text(part, f->secrets.items[i].object);
            cr_assert(json_parse(part, text, NULL, &object, &f->err));
            cr_assert(resource_from(object, STR_NONE, &copy, &f->err));
            *ARENA_PUSH(part, &secrets) = copy;
        }
        cr_assert(protection_apply(protection, part, &secrets, &all, &f->err), "%s", f->err.msg);
        note(f, outcome, &all);
        arena_free(part);
        if (between != NULL && from == 0)
            between(f);
    }
    protection_close(protection);
}

static void expect_same(const struct outcome *a, const struct outcome *b)
{
    cr_assert_eq(a->lines.count, b->lines.count);
    for (size_t i = 0; i < a->lines.count; i++)
        cr_expect(str_eq(a->lines.items[i], b->lines.items[i]), "%.*s\n%.*s", STR_ARG(a->lines.items[i]),
                  STR_ARG(b->lines.items[i]));
}

static struct str findings_of(struct fixture *f)
{
    struct str_list lines = {0};
    for (size_t i = 0; i < f->run.findings.count; i++) {
        const struct finding *finding = &f->run.findings.items[i];
        *ARENA_PUSH(f->arena, &lines) =
            str_fmt(f->arena, "%.*s %d %.*s/%.*s: %.*s", STR_ARG(finding->check), finding->severity,
                    STR_ARG(finding->namespace), STR_ARG(finding->name), STR_ARG(finding->message));
    }
    return str_join(f->arena, lines.items, lines.count, STR("\n"));
}

/* Ciphertext is random, but what did not change keeps it: so both can be compared to the last byte. */
Test(protect, namespaces_one_by_one_give_what_the_whole_gives)
{
    struct fixture f;
    struct outcome first, whole, parts;
    begin(&f);
    protect_parts(&f, &first, NULL);
    cr_assert(secrets_remember(&f.run, false, &f.err), "%s", f.err.msg);
    cr_assert_eq(first.lines.count, 18, "six Secrets in three environments");
    cr_expect_eq(first.files.count, 11, "but the broken one, the one left out, and a key that opens others");
    cr_assert(files_sort(&first.files, &f.err));

    begin_anew(&f, &first.files);
    protect_whole(&f, &whole);
    struct str of_whole = findings_of(&f);
    cr_expect_eq(f.run.findings.count, 3);
    expect_same(&first, &whole);

    begin_anew(&f, &first.files);
    protect_parts(&f, &parts, NULL);
    expect_same(&whole, &parts);
    struct str of_parts = findings_of(&f);
    cr_expect(str_eq(of_whole, of_parts), "%.*s\n%.*s", STR_ARG(of_whole), STR_ARG(of_parts));
    end(&f);
}

Test(protect, what_is_remembered_is_the_same_either_way)
{
    struct fixture f;
    struct outcome outcome;
    struct str after_whole, after_parts;
    begin(&f);
    const char *path = str_c(f.arena, str_fmt(f.arena, "%s/state/secrets/fingerprints", f.folder));
    protect_parts(&f, &outcome, NULL);
    cr_assert(secrets_remember(&f.run, false, &f.err) && files_sort(&outcome.files, &f.err));
    struct files before = outcome.files;
    begin_anew(&f, &before);
    protect_whole(&f, &outcome);
    cr_assert(secrets_remember(&f.run, false, &f.err) &&
              file_read(f.arena, path, 1 << 20, &after_whole, &f.err));
    begin_anew(&f, &before);
    protect_parts(&f, &outcome, NULL);
    cr_assert(secrets_remember(&f.run, false, &f.err) &&
              file_read(f.arena, path, 1 << 20, &after_parts, &f.err));
    cr_expect(str_eq(after_whole, after_parts));
    cr_expect_eq(after_parts.len, sizeof "gitops-pipe fingerprints 2" + (size_t)(7 * 2 + 5 + 4) * 16,
                 "of all namespaces: documents, their counts and values");
    end(&f);
}

static void take_files_away(struct fixture *f)
{
    cr_assert_eq(unlink(f->cert_file), 0);
    cr_assert_eq(unlink(f->key_file), 0);
}

Test(protect, keys_and_certificates_are_read_once)
{
    struct fixture f;
    struct outcome first, again;
    begin(&f);
    protect_parts(&f, &first, NULL);
    cr_assert(files_sort(&first.files, &f.err));
    begin_anew(&f, &first.files);
    f.config.state_dir = STR_NONE; /* only an identity can tell that nothing changed */
    protect_parts(&f, &again, take_files_away);
    for (size_t i = 0; i < first.lines.count; i++)
        if (str_starts(first.lines.items[i], STR("dev ")))
            cr_expect(str_eq(first.lines.items[i], again.lines.items[i]), "%.*s",
                      STR_ARG(again.lines.items[i]));
    end(&f);
}

/* The first characters of a ciphertext in a file; of what is external there is none. */
static struct str cipher_in(struct str text)
{
    for (; text.len != 0; text = str_from(text, 1))
        if (str_starts(text, STR("ENC[")) || str_starts(text, STR(": AQ")))
            return str_slice(text, 4, 40);
    return STR_NONE;
}

/* The run outlives its namespaces: neither what they hold, nor what was or is written of it, may stay with it. */
Test(protect, nothing_of_a_namespace_stays_with_the_run)
{
    struct fixture f;
    struct outcome outcome;
    struct files before;
    begin(&f);
    struct str marker = STR(MARKER), encoded = base64_encode(f.arena, marker, BASE64_STANDARD);
    for (int again = 0; again < 2; again++) {
        size_t ciphers = 0;
        protect_parts(&f, &outcome, NULL);
        cr_assert_eq(f.run.findings.count, 3);
        cr_expect(arena_holds(f.run.arena, "left-out", 8), "what findings say stays");
        cr_expect_not(arena_holds(f.run.arena, marker.ptr, marker.len));
        cr_expect_not(arena_holds(f.run.arena, encoded.ptr, 16));
        for (size_t i = 0; i < outcome.files.count; i++) {
            struct str cipher = cipher_in(outcome.files.items[i].bytes);
            ciphers += cipher.len != 0;
            cr_expect(cipher.len == 0 || !arena_holds(f.run.arena, cipher.ptr, cipher.len), "%.*s",
                      STR_ARG(cipher));
        }
        cr_expect_eq(ciphers, 7);
        cr_assert(secrets_remember(&f.run, false, &f.err) && files_sort(&outcome.files, &f.err));
        before = outcome.files;
        begin_anew(&f, &before);
    }
    end(&f);
}

Test(protect, a_note_outlives_the_secret_and_holds_no_value)
{
    struct fixture f;
    begin(&f);
    struct arena *part = arena_new(), *notes = arena_new();
    struct protection *protection = protection_open(&f.run);
    struct protected_secrets all;
    struct secret_note kept[18];
    cr_assert(protection_apply(protection, part, &f.secrets, &all, &f.err), "%s", f.err.msg);
    cr_assert_eq(all.count, COUNT_OF(kept));
    for (size_t i = 0; i < all.count; i++)
        kept[i] = secret_note_of(notes, &all.items[i]);
    arena_free(part);
    protection_close(protection);
    cr_expect(str_is(kept[0].name, "a") && str_is(kept[0].namespace, "blog") && kept[0].written);
    cr_expect_eq(kept[0].mode, SECRETS_SOPS);
    cr_assert_eq(kept[0].keys.count, 2);
    cr_expect(str_is(kept[0].keys.items[0], "password"));
    cr_assert_not_null(kept[1].why, "the broken one");
    cr_expect(str_is(str_of(kept[1].why), "data.key is no base64"));
    cr_expect(str_is(kept[6].namespace, "blog-x") && str_is(kept[6].secret_namespace, "blog"));
    cr_expect(str_is(kept[14].type, "example.com/own") && str_is(kept[14].store_key, "cluster/lone/only"));
    cr_expect_not(arena_holds(notes, MARKER, sizeof MARKER - 1));
    arena_free(notes);
    end(&f);
}

Test(protect, without_secrets_nothing_is_read)
{
    struct fixture f;
    begin(&f);
    struct bundle none;
    struct protected_secrets all;
    bundle_init(&none, f.arena);
    take_files_away(&f);
    struct protection *protection = protection_open(&f.run);
    cr_assert(protection_apply(protection, f.arena, &none, &all, &f.err), "%s", f.err.msg);
    cr_expect_eq(all.count, 0);
    cr_expect_null(f.run.memory);
    protection_close(protection);
    protection_close(NULL);
    end(&f);
}

/* ---- checking ---- */

/* The Secrets of one namespace are held against what is written of them, and none of another is missed. */
Test(protect, what_is_written_is_checked_namespace_after_namespace)
{
    struct fixture f;
    begin(&f);
    for (size_t from = 0, to; from < f.secrets.count; from = to) {
        struct protection *protection = protection_open(&f.run);
        struct bundle part = f.secrets;
        struct protected_secrets all;
        bundle_namespace(&f.secrets, f.secrets.items[from].namespace, &from, &to);
        part.items += from;
        part.count = part.cap = to - from;
        cr_assert(protection_apply(protection, f.arena, &part, &all, &f.err), "%s", f.err.msg);
        for (size_t e = 0; e < f.config.environments.count; e++) {
            const struct config_environment *environment = &f.config.environments.items[e];
            struct secrets_check *check, *without;
            size_t written = 0, missing = 0;
            cr_assert(secrets_check_open(&f.run, f.arena, environment, &part, &check, &f.err), "%s",
                      f.err.msg);
            if (from == 0 && e == 0)
                cr_assert_eq(unlink(f.key_file), 0, "the identity is known from here on");
            for (size_t i = 0; i < all.count; i++) {
                const struct protected_secret *one = &all.items[i];
                if (one->environment != environment || one->written.object == NULL)
                    continue;
                const char *why = secrets_check_one(check, &one->written);
                cr_expect_null(why, "%.*s: %s", STR_ARG(one->secret.name), why);
                written++;
            }
            cr_expect_null(secrets_check_missing(check));
            cr_assert(secrets_check_open(&f.run, f.arena, environment, &part, &without, &f.err));
            while (secrets_check_missing(without) != NULL)
                missing++;
            cr_expect_eq(missing, written, "what was not met is missing");
        }
        protection_close(protection);
    }
    end(&f);
}
