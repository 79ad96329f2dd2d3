/* Replays a folder of inputs through one fuzz target: `fuzz_json tests/fuzz/corpus/json`. */
#include <string.h>

#include "core/base/files.h"
#include "tests/fuzz/fuzz.h"

int main(int argc, char **argv)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct files files;
    struct err err;
    if (argc != 2 || !files_read(arena, argv[1], (size_t)256 << 20, &files, &err)) {
        fprintf(stderr, "%s\n", argc == 2 ? err.msg : "usage: fuzz_NAME FOLDER");
        return 2;
    }
    if (files.count == 0) {
        fprintf(stderr, "%s: no inputs\n", argv[1]);
        return 2;
    }
    for (size_t i = 0; i < files.count; i++) {
        struct str bytes = files.items[i].bytes;
        uint8_t *copy = malloc(bytes.len + 1); /* exactly as long as it is, for AddressSanitizer to guard */
        uint8_t *exact = realloc(copy, bytes.len ? bytes.len : 1);
        memcpy(exact, bytes.ptr, bytes.len);
        LLVMFuzzerTestOneInput(exact, bytes.len);
        free(exact);
    }
    printf("%s: %zu inputs\n", argv[1], files.count);
    return 0;
}
