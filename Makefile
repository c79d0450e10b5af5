# The commands of users, developers and continuous integration. `make train` and `make test` install what
# is missing; `make help` lists the rest.

PACKAGES := libopenblas-dev liblapacke-dev zlib1g-dev pkg-config
NAMES_URL ?= https://raw.githubusercontent.com/karpathy/makemore/master/names.txt
NAMES := data/makemore-names.txt
NAMES_SHA256 := 0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d

.PHONY: help setup build program stage install copy uninstall try-install train test test-release build-tests-release after-tests lint format bench peers names example docs dependent mutate \
  strace crash crash-quick gnuplot chromium browser page fuzz differential differential-packages python python-packages sanitize \
  sanitize-quick sanitize-quick-thread sanitize-quick-address setup-mpi build-mpi train-mpi test-mpi long-list long-list-quick

help:
	@echo 'For everyone'
	@echo '  make train                install what is missing, build, train on the bundled names, print new ones'
	@echo '  make test                 the same setup, then every test, in debug'
	@echo '  make install              build and install charmlp, its manual and completions: PREFIX=/usr/local, DESTDIR=,'
	@echo '                            PORTABLE=1 for machines other than this one; make uninstall removes it'
	@echo '  make names                download the list of names of the lecture'
	@echo '  make gnuplot              install gnuplot, which draws the charts of reports'
	@echo '  make train-mpi RANKS=2 ARGUMENTS="--steps 1000"   train on several processes under mpirun'
	@echo 'For developers'
	@echo '  make build, example       build everything; build and run the example package'
	@echo '  make test-release         the tests that see the optimizer, in release'
	@echo '  make docs                 the documentation of the library, in .build/documentation; fails if a public symbol has none'
	@echo '  make dependent            a package that depends on this one by version, in debug and in release'
	@echo '  make lint, format         check formatting, planted faults, order of folders, code in documents; format the sources'
	@echo '  make mutate               plant faults in the mathematics, one at a time; each must turn a check red'
	@echo '  make crash                kill, interrupt and resume runs in every way, and compare their files'
	@echo '  make crash-quick          the same in less than a minute'
	@echo '  make fuzz                 hostile safetensors files and word lists under AddressSanitizer (1 min)'
	@echo '  make differential         our safetensors reader and writer against Python'\''s, on 100,000 mutants'
	@echo '  make python               every line of docs/python.md, on a run of the built commands'
	@echo '  make sanitize             every test under AddressSanitizer, then ThreadSanitizer (30 min)'
	@echo '  make sanitize-quick       short training runs under both (4 min)'
	@echo '  make browser              open reports and docs/gradcheck.html in Chromium, check what they show'
	@echo '  make page                 write docs/gradcheck.html anew'
	@echo '  make test-mpi             1 to 4 ranks against one process; signals, kills, resumed runs'
	@echo '  make long-list            train on 50 million words, in one process and on two ranks (15 min)'
	@echo '  make bench                BLAS beside the naive product, and where the time of a step goes'
	@echo '  make peers                the same work in PyTorch, JAX and NumPy, beside ours (30 min)'

# Installs packages with apt-get, as root or through sudo; if it can do neither, prints the command to run. Several makes
# take turns.
install = if [ "$$(id -u)" = 0 ]; then flock Makefile sh -c 'apt-get update -q && apt-get install -y -q $(1)'; \
	elif sudo -n true 2>/dev/null || { [ -t 0 ] && command -v sudo >/dev/null; }; then flock Makefile sudo sh -c 'apt-get update -q && apt-get install -y -q $(1)'; \
	else echo 'Missing packages. Run:  sudo apt-get install $(1)' >&2; exit 1; fi

setup:
	@pkg-config --exists openblas zlib 2>/dev/null && test -e /usr/include/lapacke.h && exit 0; \
	$(call install,$(PACKAGES))

# What targets that use a build wait for; continuous integration sets it.
BUILT :=

build: setup
	swift build -c release

train: build
	swift run -c release --skip-build train

# What is installed: the program `charmlp` with Swift's library inside, its manual pages, and completions. They are
# put together in $(STAGE), so that only copying needs root: `make program && sudo make install` works
# where root's PATH has no Swift. PORTABLE=1 makes a program for every machine of the architecture, for packages.
PREFIX ?= /usr/local
PORTABLE ?= 0
STAGE := .build/program
SCRATCH := .build$(if $(filter 1,$(PORTABLE)),/portable)
PROGRAM ?= $(SCRATCH)/release/charmlp
INSTALLED = $(abspath $(DESTDIR)$(PREFIX))
# Where shells look for them.
COMPLETIONS := bash:bash-completion/completions/charmlp zsh:zsh/site-functions/_charmlp \
  fish:fish/vendor_completions.d/charmlp.fish

program: setup
	CHARMLP_PORTABLE=$(PORTABLE) swift build -c release --scratch-path $(SCRATCH) --static-swift-stdlib --product charmlp
	@$(MAKE) --no-print-directory stage

stage:
	rm -rf $(STAGE)
	install -D -s $(PROGRAM) $(STAGE)/bin/charmlp
	@for each in $(COMPLETIONS); do \
	  $(STAGE)/bin/charmlp --generate-completion-script "$${each%%:*}" >$(STAGE)/script && \
	  install -D -m 644 $(STAGE)/script "$(STAGE)/share/$${each#*:}" || exit 1; done; rm $(STAGE)/script
	@if command -v python3 >/dev/null; then python3 Tools/manual.py $(STAGE)/bin/charmlp $(STAGE)/share/man/man1; \
	else echo 'There is no python3: no manual pages are made.' >&2; fi

install:
	@if command -v swift >/dev/null; then $(MAKE) --no-print-directory program; \
	elif ! [ -x $(STAGE)/bin/charmlp ]; then echo 'Run `make program` first, where there is Swift.' >&2; exit 1; fi
	@$(MAKE) --no-print-directory copy

copy:
	install -D -m 755 $(STAGE)/bin/charmlp $(INSTALLED)/bin/charmlp
	cd $(STAGE)/share && find * -type f -exec install -D -m 644 {} $(INSTALLED)/share/{} ';'

# Folders that are left empty are removed too, except in the system's own prefixes.
uninstall:
	cd $(INSTALLED) && rm -f bin/charmlp share/man/man1/charmlp.1 share/man/man1/charmlp-*.1 \
	  $(foreach each,$(COMPLETIONS),share/$(lastword $(subst :, ,$(each))))
	@case '$(PREFIX)' in /usr | /usr/local) ;; *) cd $(INSTALLED) && rmdir -p --ignore-fail-on-non-empty \
	  bin share/man/man1 $(foreach each,$(COMPLETIONS),share/$(dir $(lastword $(subst :, ,$(each))))) 2>/dev/null || true ;; esac

# Installs $(PROGRAM), whatever build made it, into a temporary folder; uses what is there, and uninstalls it.
try-install: | $(BUILT)
	python3 Tools/try_install.py $(PROGRAM)

# Tests of commands wait for processes while the others compute, so they run side by side, in two processes of one build.
# Failures are repeated at the end. $(1): the configuration; $(2): which tests of commands; $(3): which others.
test test-release: SHELL := /bin/bash
test test-release: .SHELLFLAGS := -o pipefail -c
tests = swift test -c $(1) --skip-build --ignore-lock --disable-xctest $(2) 2>&1 | tee $$logs/$(3)
side_by_side = logs=$$(mktemp -d); ($(call tests,$(1),$(2),commands)) & commands=$$!; \
  $(call tests,$(1),$(3),others); others=$$?; wait $$commands; commands=$$?; \
  [ $$others$$commands = 00 ] || grep -ahE '✘|error:' $$logs/*; rm -r $$logs; [ $$others$$commands = 00 ]

test: COMMANDS = .*
test: setup
	swift build --build-tests
	@$(call side_by_side,debug,--filter '^CommandTests\.($(COMMANDS))Tests',--skip '^CommandTests\.')
	$(MAKE) example

# The suites of commands whose results the optimizer may change. It cannot change what the others test: flags, files,
# streams and the text of reports. COMMANDS names the suites to run.
OPTIMIZED := Allocation|Bench|BenchKernels|Gradcheck|Place|Threads|Train

build-tests-release: setup
	swift build -c release -Xswiftc -enable-testing --build-tests

test-release: COMMANDS = $(OPTIMIZED)
test-release: build-tests-release
	@$(call side_by_side,release,--filter '^CommandTests\.($(COMMANDS))Tests',--filter '^(CharMLP|LinearAlgebra|Safetensors|Posix)Tests\.')

# Built in the package's own build folder, to use its debug build of the library. `conditions` draws from the network
# that `names` saves.
EXAMPLES := names own-loop conditions derivation
example: setup
	swift build --package-path Examples --scratch-path .build
	@for program in $(EXAMPLES); do echo "$$program:"; .build/debug/$$program || exit 1; done

# DocC's plugin is a dependency only with the variable. Its build has its own folder, because it makes symbol graphs.
DOCS := .build/docs
docs: setup-mpi
	CHARMLP_DOCS=1 swift package --scratch-path $(DOCS) --allow-writing-to-directory .build/documentation \
	  generate-documentation --target CharMLP --target LinearAlgebra --target Safetensors \
	  --enable-experimental-combined-documentation --warnings-as-errors --output-path .build/documentation
	python3 Tools/documented.py $(DOCS)/debug

# Clones what is committed.
dependent: setup
	python3 Tools/dependent.py

lint:
	swift format lint --strict --parallel --recursive Sources Tests Tools Examples/Sources Package.swift Examples/Package.swift
	python3 Tools/mutate.py --check
	python3 Tools/arrows.py
	python3 Tools/excerpts.py

format:
	swift format format --in-place --parallel --recursive Sources Tests Tools Examples/Sources Package.swift Examples/Package.swift

bench: build
	swift run -c release --skip-build bench

# The peers run in a virtual environment.
peers: build .venv
	.venv/bin/pip install --quiet --requirement Benchmarks/peers/requirements.txt
	.venv/bin/python Benchmarks/peers/run.py

mutate: setup
	python3 Tools/mutate.py

# strace stops a process at an exact system call.
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

# The same in less than a minute, on whatever was built last.
crash-quick: strace | $(BUILT)
	python3 Tools/same_everywhere.py 6
	python3 Tools/kill_during_save.py 12
	python3 Tools/two_trainers.py 4
	python3 Tools/resume_everywhere.py 5
	python3 Tools/interrupt_at_random.py 6
	python3 Tools/kill_at_random.py 10
	python3 Tools/strange_runs.py 25

# Gnuplot draws the charts of reports.
gnuplot:
	@command -v gnuplot >/dev/null && exit 0; $(call install,gnuplot-nox)

# Opens reports and docs/gradcheck.html in a real browser, at two widths and in two themes: what they show, and that
# they load nothing.
chromium:
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null && exit 0; \
	$(call install,chromium chromium-driver)

# docs/gradcheck.html, from its parts and the table of tensors.
page: setup
	rm -f docs/gradcheck.html
	swift run gradcheck --page docs/gradcheck.html

browser: gnuplot chromium | $(BUILT)
	python3 Tools/browser/browser.py
	python3 Tools/browser/gradcheck_page.py

# `python3 Tools/fuzz/fuzz.py --full` is the long run.
fuzz:
	python3 Tools/fuzz/fuzz.py

# The virtual environment of the Python programs.
.venv:
	@python3 -c 'import ensurepip' 2>/dev/null && exit 0; $(call install,python3-venv)
	python3 -m venv .venv

differential-packages: .venv
	.venv/bin/pip install --quiet --requirement Tools/fuzz/requirements.txt

MUTANTS ?= 100000
differential: differential-packages
	.venv/bin/python Tools/fuzz/differential.py --count $(MUTANTS)

python-packages: .venv
	.venv/bin/pip install --quiet --requirement Tools/python/requirements.txt

python: python-packages | $(BUILT)
	@test -x .build/release/train || $(MAKE) build
	.venv/bin/python Tools/python/page.py

# Each sanitizer has a build of its own. The search for leaks is off: a command leaves by exit(), which
# abandons what the frames above it hold.
sanitize: setup
	ASAN_OPTIONS=detect_leaks=0 swift test --sanitize=address --scratch-path .build/address
	swift test --sanitize=thread --scratch-path .build/thread

# Builds `train` alone under each sanitizer, and trains a little.
sanitize-quick: sanitize-quick-thread sanitize-quick-address

sanitize-quick-thread sanitize-quick-address: sanitize-quick-%: setup
	python3 Tools/sanitize.py $* --build

# Several processes train together under mpirun; ARGUMENTS are those of `train`. The flags allow more ranks
# than cores, and give ranks ten seconds to save after a signal to mpirun; the variables let root run it.
RANKS ?= 2
MPI_CONFIGURATION ?= release
MPI := --configuration $(MPI_CONFIGURATION) --traits MPI --scratch-path .build/mpi
MPI_TRAIN := .build/mpi/$(MPI_CONFIGURATION)/train
MPIRUN := OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
  mpirun --oversubscribe --bind-to none --mca odls_base_sigkill_timeout 10

setup-mpi: setup
	@pkg-config --exists ompi-c 2>/dev/null && command -v mpirun >/dev/null && exit 0; \
	$(call install,libopenmpi-dev openmpi-bin)

build-mpi: setup-mpi
	swift build $(MPI) --product train

train-mpi: build-mpi
	$(MPIRUN) -n $(RANKS) $(MPI_TRAIN) $(ARGUMENTS)

test-mpi: build-mpi
	CHARMLP_TRAIN=$(MPI_TRAIN) python3 Tools/ranks.py $(STEPS)

long-list: build build-mpi
	CHARMLP_TRAIN=$(MPI_TRAIN) python3 Tools/long_list.py

# The same with 2.5 million words, with whatever build of `sample` there is.
long-list-quick: build-mpi | $(BUILT)
	CHARMLP_TRAIN=$(MPI_TRAIN) python3 Tools/long_list.py 2500000

# What else continuous integration runs, two at a time: each has a build of its own, or only reads what is built.
after-tests: sanitize-quick-thread browser sanitize-quick-address test-mpi fuzz crash-quick long-list-quick

# The download is verified before it takes its place. NAMES_URL may be a file:// address.
names:
	@curl --fail --silent --show-error --location --output $(NAMES).part '$(NAMES_URL)' || { rm -f $(NAMES).part; exit 1; }
	@echo '$(NAMES_SHA256)  $(NAMES).part' | sha256sum --check --status || \
	  { rm -f $(NAMES).part; echo 'names: the download is not the list of the lecture' >&2; exit 1; }
	@mv $(NAMES).part $(NAMES) && echo '$(NAMES): 32,033 names'
