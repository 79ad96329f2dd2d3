/* Certificates that are renewed while we run: their files are looked at before every call, and read when they changed. */
#include <string.h>
#include <sys/stat.h>

#include "core/base/files.h"
#include "core/kube/kube_intern.h"

/* One of the three texts that may stand in a file of its own. */
struct pem {
    struct str *text;
    struct str file;
    struct kube_stamp stamp;
};

static bool stamp_file(struct arena *arena, struct str path, struct kube_stamp *ret_stamp)
{
    struct stat info;
    if (stat(str_c(arena, path), &info) != 0)
        return false;
    *ret_stamp =
        (struct kube_stamp){.inode = info.st_ino,
                            .bytes = info.st_size,
                            .modified_ns = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec};
    return true;
}

static bool stamp_eq(const struct kube_stamp *a, const struct kube_stamp *b)
{
    return a->inode == b->inode && a->bytes == b->bytes && a->modified_ns == b->modified_ns;
}

/* Whether one of the files is another than it was; false too when one is missing, as in the middle of a rotation. */
static bool look(struct kube *kube, struct arena *scratch, struct pem pems[3])
{
    bool touched = false;
    for (size_t i = 0; i < 3; i++) {
        if (pems[i].file.len == 0)
            continue;
        if (!stamp_file(scratch, pems[i].file, &pems[i].stamp))
            return false;
        touched = touched || !stamp_eq(&pems[i].stamp, &kube->stamps[i]);
    }
    return touched;
}

static bool read_again(struct arena *arena, struct pem pems[3], bool *ret_changed)
{
    struct err ignored;
    for (size_t i = 0; i < 3; i++) {
        struct str before = *pems[i].text;
        if (pems[i].file.len == 0) {
            *pems[i].text = str_dup(arena, before);
            continue;
        }
        if (!file_read(arena, str_c(arena, pems[i].file), KUBECONFIG_MAX_BYTES, pems[i].text, &ignored))
            return false;
        *ret_changed = *ret_changed || !str_eq(before, *pems[i].text);
    }
    return true;
}

/* Texts that do not fit each other are not taken. */
static bool connect_anew(struct kube *kube, const struct kubeconfig *config)
{
    struct kubeconfig before = kube->config;
    struct err ignored;
    kube->config = *config;
    if (kube_reconnect(kube, &ignored))
        return true;
    kube->config = before;
    return false;
}

bool kube_reload_files(struct kube *kube)
{
    struct kubeconfig config = kube->config;
    struct pem pems[3] = {{.text = &config.ca_pem, .file = config.ca_file},
                          {.text = &config.cert_pem, .file = config.cert_file},
                          {.text = &config.key_pem, .file = config.key_file}};
    if (config.ca_file.len + config.cert_file.len + config.key_file.len == 0)
        return false;

    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    if (!look(kube, scratch, pems))
        return false;
    struct arena *reread = arena_new();
    bool changed = false;
    bool taken = read_again(reread, pems, &changed) && (!changed || connect_anew(kube, &config));
    for (size_t i = 0; taken && i < 3; i++)
        kube->stamps[i] = pems[i].stamp;
    if (!taken || !changed) {
        arena_free(reread);
        return false;
    }
    arena_free(kube->reread);
    kube->reread = reread;
    return true;
}
