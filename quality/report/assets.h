/* assets.h — the style sheet and the script of the HTML report, as they stand in page.css and page.js. */
#pragma once
#include "core/base/str.h"

struct str asset_style(void);
struct str asset_script(void);
