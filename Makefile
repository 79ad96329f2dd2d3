# gitops-pipe: one library, two programs, one test runner.
#
#   make            build/gitops-pipe and build/backupd
#   make demo       packages, build, then the whole pipeline on the sandbox cluster
#   make test       packages, build, all tests that need no server
#   make test-live  real kube-apiserver, MinIO, Argo CD (needs Go 1.26; built once into a cache)
#   make check      every gate: gcc and clang, sanitizers, format, lint, README
#   make bench      the performance table for this machine; make bench-scale: backups of up to 100,000 objects
#   make fuzz       a fuzzer on every parser, SECONDS=60 each
#
# VARIANT picks a build folder and its flags: release (default), debug (ASan and UBSan), clang.

VARIANT ?= release
BUILD   := $(if $(filter release,$(VARIANT)),build,build/$(VARIANT))

CC.release := gcc
CC.debug   := gcc
CC.clang   := clang
CC.fuzz    := clang
CC         := $(CC.$(VARIANT))

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
        -Wwrite-strings -Wvla -Wformat=2 -Wno-unused-parameter $(if $(filter gcc,$(CC)),-Wno-format-truncation)
HARDEN := -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2
FLAGS.release := -O2 -g $(HARDEN) -fstack-clash-protection
FLAGS.clang   := -O1 -g $(HARDEN) -Wno-string-concatenation
FLAGS.debug   := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -DARENA_DEBUG
LDFLAGS.release := -pie -Wl,-z,relro,-z,now,-z,noexecstack
LDFLAGS.clang   := $(LDFLAGS.release)
LDFLAGS.debug   := -fsanitize=address,undefined
FLAGS.fuzz      := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -DARENA_DEBUG
LDFLAGS.fuzz    := -fsanitize=fuzzer,address,undefined

PKGS   := libcurl libgit2 yaml-0.1 libarchive libzstd libcrypto libmicrohttpd zlib
CFLAGS += -std=c17 -D_GNU_SOURCE $(WARN) $(FLAGS.$(VARIANT)) -I. -MMD -MP -pthread \
          $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDLIBS += $(shell pkg-config --libs $(PKGS) 2>/dev/null) -ls3 -pthread -lm
LDFLAGS += $(LDFLAGS.$(VARIANT))

LIB_DIRS := core transform quality overlays dr-scenarios backupd
LIB_SRC  := $(filter-out backupd/main.c,$(shell find $(LIB_DIRS) -name '*.c' 2>/dev/null | LC_ALL=C sort))
CLI_SRC  := $(shell find cli -name '*.c' 2>/dev/null | LC_ALL=C sort)
TEST_SRC := $(shell find tests -name '*.c' -not -path 'tests/fuzz/*' -not -path 'tests/bench/*' -not -path 'tests/live/*' 2>/dev/null | LC_ALL=C sort)
FUZZ_SRC := $(shell find tests/fuzz -name 'fuzz_*.c' 2>/dev/null | LC_ALL=C sort)
BENCH_SRC := $(shell find tests/bench -name 'bench_*.c' 2>/dev/null | LC_ALL=C sort)
BENCH_LIB := tests/bench/bench.c tests/bench/corpus.c

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB := $(BUILD)/libgitops-pipe.a

.PHONY: all lib programs tests clean
all: programs
programs: $(BUILD)/gitops-pipe $(BUILD)/backupd
lib: $(LIB)
tests: $(BUILD)/tests/all $(BUILD)/tests/generate

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CFLAGS) -c $< -o $@

# Taken in by the assembler, which notes no dependencies.
$(call obj,quality/report/assets.c): quality/report/page.css quality/report/page.js

$(LIB): $(call obj,$(LIB_SRC))
	@echo "  AR    $@"
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/gitops-pipe: $(call obj,$(CLI_SRC)) $(LIB)
	@echo "  LD    $@"
	@$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

$(BUILD)/backupd: $(call obj,backupd/main.c) $(LIB)
	@echo "  LD    $@"
	@$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

# Tests of the daemon run the very binary.
$(BUILD)/tests/all: $(call obj,$(TEST_SRC)) $(LIB) | $(BUILD)/backupd
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(LDFLAGS) $^ $(LDLIBS) -lcriterion -lssl -lz -o $@

# Puts random objects into a real API server; for the live tests.
$(BUILD)/tests/generate: $(call obj,tests/live/generate/generate.c tests/harness/generate.c) $(LIB)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

# FILTER narrows a run: make unit FILTER='json/*'
FILTER ?= *
.PHONY: unit
unit: $(BUILD)/tests/all
	$(BUILD)/tests/all --filter '$(FILTER)' -j2

# --- Packages come first, in a make of their own: what pkg-config says is read when a make starts. ---

.PHONY: demo test check bench bench-scale bench-programs test-live
demo:
	.ci/install build
	@$(MAKE) --no-print-directory -j$(JOBS) programs
	@tests/demo build/gitops-pipe

# The last line is the runner's own count; it stays in build/test-count.
test:
	.ci/install build test
	@$(MAKE) --no-print-directory -j$(JOBS) programs tests
	@$(BUILD)/tests/all -j$(JOBS) > build/test.log 2>&1; status=$$?; \
	  grep -vE '^\[(RUN |PASS)' build/test.log || true; \
	  tail -n 1 build/test.log > build/test-count; exit $$status

JOBS := $(shell nproc)

# Every gate. Sanitizers report to a file, because the test runner passes a test that leaks.
check:
	.ci/install build test check
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory check-sanitized fuzz-replay check-clang check-format lint check-readme

.PHONY: check-sanitized check-clang check-format check-readme lint format
check-sanitized:
	@$(MAKE) --no-print-directory -j$(JOBS) VARIANT=debug programs tests
	@rm -f build/debug/asan.*
	@ASAN_OPTIONS=log_path=$(CURDIR)/build/debug/asan:detect_leaks=1:exitcode=0 UBSAN_OPTIONS=print_stacktrace=1 \
	  build/debug/tests/all -j$(JOBS) > build/debug/test.log 2>&1 || { grep -vE '^\[(RUN |PASS)' build/debug/test.log; exit 1; }
	@tail -n 1 build/debug/test.log
	@.ci/sanitizer-reports build/debug/asan.*

check-clang:
	@$(MAKE) --no-print-directory -j$(JOBS) VARIANT=clang programs tests

FORMATTED = $(shell git ls-files '*.c' '*.h')
check-format:
	@clang-format --dry-run --Werror $(FORMATTED) && echo 'format: clean'
format:
	clang-format -i $(FORMATTED)

lint:
	@.ci/lint

check-readme: programs
	@for page in README.md docs/README.md docs/backup.md docs/cron.md docs/drills.md docs/hooks.md docs/repository.md docs/stores.md; do tests/readme $$page || exit 1; done

bench: bench-programs
	@tests/bench/run

# Time and memory of a backup over the size of the cluster: two minutes, most of them to fill it.
bench-scale: bench-programs
	@tests/bench/scale 1000 10000 100000

bench-programs:
	.ci/install build test
	@$(MAKE) --no-print-directory -j$(JOBS) programs $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(BENCH_SRC)) $(BUILD)/bench/fill

$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(call obj,$(BENCH_LIB)) $(LIB)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

# WORDS narrows a run to the files whose names contain one of them: make test-live WORDS='stack render'
test-live:
	.ci/install build test live
	@$(MAKE) --no-print-directory -j$(JOBS) programs tests
	tests/live/stack/build
	tests/live/run $(WORDS)

# The round trip with more random objects, and others each time: make test-live-random GENERATED=20000 SEED=7
.PHONY: test-live-random
test-live-random: programs tests
	GENERATED=$(or $(GENERATED),10000) SEED=$(or $(SEED),$(shell date +%s)) tests/live/run 56_roundtrip

# --- Fuzzing: every target replays its corpus in `make check`; a fuzzer looks for more when asked. ---

FUZZERS := $(FUZZ_SRC:tests/fuzz/fuzz_%.c=%)
FUZZ_LIB := $(call obj,tests/fuzz/round_trip.c) $(LIB)
SECONDS ?= 60

$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(FUZZ_LIB) $(if $(filter fuzz,$(VARIANT)),,$(call obj,tests/fuzz/driver.c))
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(LDFLAGS) $(filter %.o,$^) $(LIB) $(LDLIBS) -o $@

.SECONDARY:
.PHONY: fuzz fuzz-replay fuzzers
fuzzers: $(FUZZERS:%=$(BUILD)/fuzz/%)
fuzz-replay:
	@$(MAKE) --no-print-directory -j$(JOBS) VARIANT=debug fuzzers
	@for name in $(FUZZERS); do build/debug/fuzz/$$name tests/fuzz/corpus/$$name || exit 1; done

# make fuzz SECONDS=60: as long for each target. What it learns stays in build/; a crash is left in the corpus.
fuzz:
	@$(MAKE) --no-print-directory -j$(JOBS) VARIANT=fuzz fuzzers
	@for name in $(FUZZERS); do mkdir -p build/fuzz/learnt/$$name; \
	  build/fuzz/fuzz/$$name -max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
	    -artifact_prefix=tests/fuzz/corpus/$$name/ build/fuzz/learnt/$$name tests/fuzz/corpus/$$name \
	    > build/fuzz/$$name.log 2>&1 || { tail -n 40 build/fuzz/$$name.log; exit 1; }; \
	  echo "$$name: $$(grep -o 'number_of_executed_units: .*' build/fuzz/$$name.log)"; done

clean:
	rm -rf build compile_commands.json

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
