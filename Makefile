# The two commands: make demo, make test. Both install what is missing from packages.txt first (Debian 12, as root).
BUILD := build
JOBS := $(shell nproc)

# Where `make bench` and `make soak-kills` keep what they work on; about 25 GB.
BENCH_DIR := /var/tmp/exhibit-bench
# A bench image that is there already (BENCH_IMAGE=…raw; an .E01 beside it is taken too). Else one is made.
BENCH_IMAGE :=
PARTS := pipeline,verify,list,items,limits,memory
ROUNDS := 3

.PHONY: all setup bench-setup demo test check corpora campaign false-positives fuzz fuzz-one bench bench-carve bench-hashset bench-hashset-large bench-pdq soak-kills mount-check clean

all: $(BUILD)/build.ninja
	cmake --build $(BUILD) -j $(JOBS)

$(BUILD)/build.ninja:
	cmake --preset dev

# Installs only what is missing, so that a second run asks nobody. npm is asked for by its name, as some machines have
# it from elsewhere, beside which Debian's can't be installed.
setup: PACKAGES := packages.txt
bench-setup: PACKAGES := packages.txt tests/bench/packages.txt
setup bench-setup:
	@missing=$$(grep -hv '^#' $(PACKAGES) | while read -r package; do \
	    dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'install ok installed' || echo $$package; done; \
	    command -v npm >/dev/null || echo npm); \
	if [ -n "$$missing" ]; then \
	    echo "installing: $$missing"; apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi

demo: setup all
	samples/demo.sh $(BUILD)

test: setup all
	ctest --test-dir $(BUILD) --output-on-failure --no-tests=error -j $(JOBS)

# What a change must pass besides the tests: format, lint, shape.
check: setup all
	tests/architecture/format.sh format
	tests/architecture/format.sh tidy $(BUILD) $(JOBS)
	ctest --test-dir $(BUILD) --output-on-failure -R architecture

# Every image of the corpora against what independent tools found in it.
corpora: setup all
	python3 tests/corpora/compare.py --exhibit $(BUILD)/bin/exhibit

# N damaged images through the real program: tests/campaign/README.md.
SEED := exhibit
campaign: setup all
	python3 -B tests/campaign/campaign.py --exhibit $(BUILD)/bin/exhibit --count $(or $(N),20000) --seed $(SEED) --jobs $(JOBS)

# What the carver calls `validated` where nothing is, over SIZE MiB: tests/carve/false_positives.py.
SIZE := 1024
false-positives: setup all
	python3 -B tests/carve/false_positives.py $(BUILD)/bin/carve_file --size $(SIZE)

# libFuzzer over everything of ours that reads hostile bytes, each for SECONDS: tests/fuzz/README.md.
SECONDS := 3600
fuzz: setup
	tests/fuzz/fuzz.sh $(SECONDS) $(JOBS)

fuzz-one: setup
	tests/fuzz/fuzz.sh $(SECONDS) 1 $(NAME)

# Exhibit against its peers and against what the machine can do: docs/performance.md. Needs root.
bench: bench-setup
	cmake --preset dev >/dev/null
	cmake --build $(BUILD) -j $(JOBS) --target exhibit exhibit-worker bench_limits
	/usr/bin/python3 -B tests/bench/bench.py --bin $(BUILD)/bin --shared ../shared --folder $(BENCH_DIR) \
	    --out $(BUILD)/bench --rounds $(ROUNDS) --parts $(PARTS) $(if $(BENCH_IMAGE),--image $(BENCH_IMAGE))

# Carving beside scalpel, foremost and PhotoRec: docs/carving.md. The bench image is made by `make bench`.
bench-carve: bench-setup all
	/usr/bin/python3 -B tests/bench/bench_carve.py --bin $(BUILD)/bin --shared ../shared --folder $(BENCH_DIR)/carve \
	    --rounds $(ROUNDS) $(addprefix --image ,$(wildcard $(or $(BENCH_IMAGE),$(BENCH_DIR)/bench.raw)))

# The index of hash sets beside hfind, SQLite and a sorted array: docs/hashset.md. The large one, 100 million digests,
# takes about 10 GB in BENCH_DIR and a quiet machine.
bench-hashset: COUNTS := 1000000,10000000
bench-hashset-large: COUNTS := 1000000,10000000,100000000
bench-hashset bench-hashset-large: bench-setup
	cmake --preset dev >/dev/null
	cmake --build $(BUILD) -j $(JOBS) --target exhibit hashset_bench
	/usr/bin/python3 -B tests/bench/bench_hashset.py --bin $(BUILD)/bin --folder $(BENCH_DIR)/hashset --counts $(COUNTS)

# PDQ: changed copies of photographs, and exact searches of so many hashes: docs/perceptual.md. About 2 GB in BENCH_DIR.
PICTURES := $(wildcard /usr/share/backgrounds/mate/nature/*.jpg ../shared/corpora/pdq/bridge-1-original.jpg ../shared/corpora/pdq/q*.jpg ../shared/corpora/pdq/*.png)
bench-pdq: bench-setup
	cmake --preset dev >/dev/null
	cmake --build $(BUILD) -j $(JOBS) --target exhibit pdq_bench pdq_hash
	/usr/bin/python3 -B tests/bench/bench_pdq.py --bin $(BUILD)/bin --folder $(BENCH_DIR)/pdq likeness $(PICTURES)
	/usr/bin/python3 -B tests/bench/bench_pdq.py --bin $(BUILD)/bin --folder $(BENCH_DIR)/pdq search 100000 1000000 10000000

# N kills of a run at random moments, each gone on with: the same findings N times.
soak-kills: bench-setup all
	/usr/bin/python3 -B tests/bench/soak_kills.py --bin $(BUILD)/bin --folder $(BENCH_DIR) --kills $(or $(N),50)

# Eight readers for ten minutes over every image of the corpora while workers are killed: tests/mount/mount_check.py.
mount-check: setup all
	/usr/bin/python3 -B tests/mount/mount_check.py $(BUILD)/bin ../shared/corpora --seconds $(or $(N),600)

clean:
	rm -rf $(BUILD) build-fuzz
