#include "quality/report/assets.h"

/* The assembler takes the bytes in; paths are from the root, where make runs. */
#define ASSET(symbol, file)                                                                                  \
    __asm__(".pushsection .rodata\n" symbol ":\n.incbin \"" file "\"\n" symbol                               \
            "_end:\n.byte 0\n.popsection\n")

ASSET("report_page_css", "quality/report/page.css");
ASSET("report_page_js", "quality/report/page.js");

extern const char report_page_css[] __attribute__((visibility("hidden")));
extern const char report_page_css_end[] __attribute__((visibility("hidden")));
extern const char report_page_js[] __attribute__((visibility("hidden")));
extern const char report_page_js_end[] __attribute__((visibility("hidden")));

struct str asset_style(void)
{
    return (struct str){report_page_css, (size_t)(report_page_css_end - report_page_css)};
}

struct str asset_script(void)
{
    return (struct str){report_page_js, (size_t)(report_page_js_end - report_page_js)};
}
