#include "quality/report/assets.h"

/* The assembler takes the bytes in and counts them; paths are from the root, where make runs. */
#define ASSET(symbol, file)                                                                                  \
    __asm__(".pushsection .rodata\n" symbol ":\n.incbin \"" file "\"\n.set " symbol                          \
            "_end, .\n.balign 8\n" symbol "_len: .quad " symbol "_end - " symbol "\n.popsection\n")

ASSET("report_page_css", "quality/report/page.css");
ASSET("report_page_js", "quality/report/page.js");

extern const char report_page_css[] __attribute__((visibility("hidden")));
extern const char report_page_js[] __attribute__((visibility("hidden")));
extern const uint64_t report_page_css_len __attribute__((visibility("hidden")));
extern const uint64_t report_page_js_len __attribute__((visibility("hidden")));

struct str asset_style(void)
{
    return (struct str){report_page_css, report_page_css_len};
}

struct str asset_script(void)
{
    return (struct str){report_page_js, report_page_js_len};
}
