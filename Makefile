# What people and continuous integration call. `make train` and `make test` install what is missing.

PACKAGES := libopenblas-dev liblapacke-dev zlib1g-dev pkg-config
NAMES_URL ?= https://raw.githubusercontent.com/karpathy/makemore/master/names.txt
NAMES := data/makemore-names.txt
NAMES_SHA256 := 0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d

.PHONY: help setup build train test lint format bench peers names example mutate \
  strace crash crash-quick gnuplot chromium browser fuzz differential differential-packages sanitize \
  sanitize-quick setup-mpi build-mpi train-mpi test-mpi long-list long-list-quick

help:
	@echo 'make train    install what is missing, build, train on the bundled names, print samples'
	@echo 'make test     the same set-up, then every test, in debug and in release'
	@echo 'make bench    BLAS beside the naive product, in a release build'
	@echo 'make peers    the same work in PyTorch, JAX and NumPy, beside ours (half an hour)'
	@echo 'make mutate   plant faults in the mathematics, one at a time, and see the checks turn red'
	@echo 'make crash    kill, interrupt and resume runs in every way, and compare their files'
	@echo 'make gnuplot  installs what draws the charts of reports'
	@echo 'make browser  open reports in Chromium, and check what they show'
	@echo 'make fuzz     a minute of hostile safetensors files and word lists under AddressSanitizer'
	@echo 'make differential  our safetensors reader and writer against Python'\''s, on 100,000 mutants'
	@echo 'make sanitize every test under AddressSanitizer, then under ThreadSanitizer (half an hour)'
	@echo 'make sanitize-quick  short training runs under both (four minutes)'
	@echo 'make train-mpi RANKS=2  the same training on several processes, under mpirun'
	@echo 'make test-mpi 1 to 4 ranks against one process; stopped, killed and resumed'
	@echo 'make long-list  50 million words on one process and on two ranks (a quarter of an hour)'
	@echo 'make names    download the list of names of the lecture'
	@echo 'make lint, format, build, setup, example, crash-quick'

# Installs with apt-get as root or through sudo; otherwise says what to run.
install = if [ "$$(id -u)" = 0 ]; then apt-get update -q && apt-get install -y -q $(1); \
	elif sudo -n true 2>/dev/null || { [ -t 0 ] && command -v sudo >/dev/null; }; then sudo apt-get update -q && sudo apt-get install -y -q $(1); \
	else echo 'Missing packages. Run:  sudo apt-get install $(1)' >&2; exit 1; fi

setup:
	@pkg-config --exists openblas zlib 2>/dev/null && test -e /usr/include/lapacke.h && exit 0; \
	$(call install,$(PACKAGES))

build: setup
	swift build -c release

train: build
	swift run -c release --skip-build train

test: setup example
	swift test
	swift test -c release

example: setup
	swift run --package-path Examples names

lint:
	swift format lint --strict --recursive Sources Tests Tools Examples/Sources Package.swift Examples/Package.swift
	python3 Tools/mutate.py --check

format:
	swift format format --in-place --recursive Sources Tests Tools Examples/Sources Package.swift Examples/Package.swift

bench: build
	swift run -c release --skip-build bench

# The peers live in a virtual environment of their own.
peers: build .venv
	.venv/bin/pip install --quiet --requirement Benchmarks/peers/requirements.txt
	.venv/bin/python Benchmarks/peers/run.py

mutate: setup
	python3 Tools/mutate.py

# Processes stopped at exact system calls need strace.
strace:
	@command -v strace >/dev/null && exit 0; $(call install,strace)

crash: build strace
	python3 Tools/same_everywhere.py
	python3 Tools/kill_during_save.py
	python3 Tools/two_trainers.py
	python3 Tools/resume_everywhere.py
	python3 Tools/interrupt_at_random.py
	python3 Tools/kill_at_random.py
	python3 Tools/strange_runs.py

# The same, shortened to less than a minute, on whatever was built last.
crash-quick: strace
	python3 Tools/same_everywhere.py 6
	python3 Tools/kill_during_save.py 12
	python3 Tools/two_trainers.py 4
	python3 Tools/resume_everywhere.py 5
	python3 Tools/interrupt_at_random.py 6
	python3 Tools/kill_at_random.py 10
	python3 Tools/strange_runs.py 25

# Draws the charts of reports.
gnuplot:
	@command -v gnuplot >/dev/null && exit 0; $(call install,gnuplot-nox)

# Opens reports in a real browser: what they show, what they load (nothing), at two widths in two themes.
chromium:
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null && exit 0; \
	$(call install,chromium chromium-driver)

browser: gnuplot chromium
	python3 Tools/browser/browser.py

# `python3 Tools/fuzz/fuzz.py --full` is the long run.
fuzz:
	python3 Tools/fuzz/fuzz.py

# What Python programs need lives in a virtual environment.
.venv:
	@python3 -c 'import ensurepip' 2>/dev/null && exit 0; $(call install,python3-venv)
	python3 -m venv .venv

differential-packages: .venv
	.venv/bin/pip install --quiet --requirement Tools/fuzz/requirements.txt

MUTANTS ?= 100000
differential: differential-packages
	.venv/bin/python Tools/fuzz/differential.py --count $(MUTANTS)

# Each has a build of its own beside the usual one. Leaks are not looked for: a command leaves by exit(),
# which abandons what the frames above it hold.
sanitize: setup
	ASAN_OPTIONS=detect_leaks=0 swift test --sanitize=address --scratch-path .build/address
	swift test --sanitize=thread --scratch-path .build/thread

# Of the sanitized builds the command alone, and short runs of it.
sanitize-quick: setup
	python3 Tools/sanitize.py thread --build
	python3 Tools/sanitize.py address --build

# Several processes train together under mpirun; ARGUMENTS are those of `train`. The flags let it run on
# a machine with fewer cores than ranks, and leave ranks ten seconds to save after a signal to mpirun; the
# variables let root run it.
RANKS ?= 2
MPI := --traits MPI --scratch-path .build/mpi
MPIRUN := OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
  mpirun --oversubscribe --bind-to none --mca odls_base_sigkill_timeout 10

setup-mpi: setup
	@pkg-config --exists ompi-c 2>/dev/null && command -v mpirun >/dev/null && exit 0; \
	$(call install,libopenmpi-dev openmpi-bin)

build-mpi: setup-mpi
	swift build -c release $(MPI) --product train

train-mpi: build-mpi
	$(MPIRUN) -n $(RANKS) .build/mpi/release/train $(ARGUMENTS)

test-mpi: build-mpi
	CHARMLP_TRAIN=.build/mpi/release/train python3 Tools/ranks.py $(STEPS)

long-list: build build-mpi
	CHARMLP_TRAIN=.build/mpi/release/train python3 Tools/long_list.py

# The same with 2.5 million words, on whatever build of sample there is.
long-list-quick: build-mpi
	CHARMLP_TRAIN=.build/mpi/release/train python3 Tools/long_list.py 2500000

# The list is checked before it takes its place. NAMES_URL may be a file:// address.
names:
	@curl --fail --silent --show-error --location --output $(NAMES).part '$(NAMES_URL)' || { rm -f $(NAMES).part; exit 1; }
	@echo '$(NAMES_SHA256)  $(NAMES).part' | sha256sum --check --status || \
	  { rm -f $(NAMES).part; echo 'names: the download is not the list of the lecture' >&2; exit 1; }
	@mv $(NAMES).part $(NAMES) && echo '$(NAMES): 32,033 names'
