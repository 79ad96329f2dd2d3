/* sops_meta.h — the map "sops" of a document: who can decrypt it, which values are encrypted. For sops*.c only. */
#pragma once
#include <regex.h>

#include "core/crypto/gcm.h"
#include "core/crypto/sops.h"

/* How sops picks the values it encrypts: by a suffix or a pattern that some key on the way must match, or must not. */
struct sops_picker {
    struct str suffix;
    regex_t regex;
    bool has_regex, is_data; /* is_data: our own pattern, known without a regex */
    bool picks_matches;      /* what matches is encrypted; else what does not */
    bool mac_only_encrypted;
};

/* Of a place in the document: whether a key above it matched. */
enum sops_pick { SOPS_UNDECIDED, SOPS_MATCHED };

enum sops_pick sops_pick_below(const struct sops_picker *picker, enum sops_pick above, struct str key);
bool sops_is_picked(const struct sops_picker *picker, enum sops_pick pick);
struct sops_picker sops_picker_ours(void);
void sops_picker_done(struct sops_picker *picker);

struct sops_meta {
    struct sops_picker picker;
    const struct value *age; /* [{recipient, enc}] */
    struct str lastmodified, mac;
    bool is_ours; /* picks what we pick */
};

/* CORRUPT and INVALID as in sops.h; end with sops_meta_done. */
bool sops_meta_read(struct arena *arena, const struct value *sops, struct sops_meta *ret_meta,
                    struct err *err) WARN_UNUSED;
void sops_meta_done(struct sops_meta *meta);
const struct value *sops_meta_value(struct arena *arena, const struct value *age, struct str lastmodified,
                                    struct str mac);

/* The caller wipes the key. */
bool sops_data_key(struct arena *arena, const struct sops_meta *meta, const struct age_identities *identities,
                   uint8_t ret_key[GCM_KEY_BYTES], struct err *err) WARN_UNUSED;
bool sops_new_key(struct arena *arena, const struct str_list *recipients, uint8_t ret_key[GCM_KEY_BYTES],
                  const struct value **ret_age, struct err *err) WARN_UNUSED;
