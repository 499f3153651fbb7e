# The two commands: make demo, make test. Both install what is missing from packages.txt first (Debian 12, as root).
BUILD := build
JOBS := $(shell nproc)

.PHONY: all setup demo test check corpora campaign fuzz fuzz-one clean

all: $(BUILD)/build.ninja
	cmake --build $(BUILD) -j $(JOBS)

$(BUILD)/build.ninja:
	cmake --preset dev

# Installs only what is missing, so that a second run asks nobody.
setup:
	@missing=$$(grep -v '^#' packages.txt | while read -r package; do \
	    dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'install ok installed' || echo $$package; done); \
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
N := 20000
SEED := exhibit
campaign: setup all
	python3 -B tests/campaign/campaign.py --exhibit $(BUILD)/bin/exhibit --count $(N) --seed $(SEED) --jobs $(JOBS)

# libFuzzer over everything of ours that reads hostile bytes, each for SECONDS: tests/fuzz/README.md.
SECONDS := 3600
fuzz: setup
	tests/fuzz/fuzz.sh $(SECONDS) $(JOBS)

fuzz-one: setup
	tests/fuzz/fuzz.sh $(SECONDS) 1 $(NAME)

clean:
	rm -rf $(BUILD) build-fuzz
