/* match.h — which objects a setting is for, by namespace, name and labels. */
#pragma once
#include "core/config/config.h"
#include "core/kube/resource.h"

/* One of the globs takes the text, or there are none. */
bool match_text(const struct str_list *globs, struct str text);
bool match_place(const struct config_match *match, const struct resource *resource);
