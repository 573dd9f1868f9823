# The front door for a machine that has the packages (./run and ./test install them). The program is
# build/caelum. `make PRESET=asan test` uses another preset of CMakePresets.json.
PRESET ?= release
PREFIX ?= /usr/local
BUILD = $(if $(filter release,$(PRESET)),build,build-$(PRESET))

all: $(BUILD)/build.ninja
	cmake --build --preset $(PRESET)

$(BUILD)/build.ninja: CMakeLists.txt CMakePresets.json
	cmake --preset $(PRESET)

test: all
	ctest --preset $(PRESET)

# DESTDIR=, as usual, stands before all paths; uninstall removes what the last install put there.
install: all
	cmake --install $(BUILD) --prefix $(PREFIX)

uninstall:
	sed 's|^|$(DESTDIR)|' $(BUILD)/install_manifest.txt | xargs rm -f

package: all
	cd $(BUILD) && cpack

docs: include/caelum.h docs/Doxyfile
	doxygen docs/Doxyfile

# build/caelum.html: caelum in a browser (docs/page.md)
page: $(BUILD)/build.ninja
	cmake --build --preset $(PRESET) --target page

# each command, once for each of its calls that can fail, with that call failing (docs/determinism.md)
torture: $(BUILD)/build.ninja
	cmake --build --preset $(PRESET) --target torture

# what a crash may leave of training and other commands, and what comes after it (docs/determinism.md); needs strace
crash-states: $(BUILD)/build.ninja
	cmake --build --preset $(PRESET) --target crash-states

# each reader of files for a minute, or FUZZ_SECONDS, with libFuzzer (docs/threats.md)
fuzz:
	cmake --preset fuzz
	cmake --build --preset fuzz --target fuzz

# what a thousand hostile files for each reader take (docs/threats.md)
hostile: $(BUILD)/build.ninja
	cmake --build --preset $(PRESET) --target hostile

# branches of the readers that tests reach (docs/threats.md); needs gcovr
coverage:
	scripts/coverage.sh

# 10,000 trainings in one process, 64 threads on a model, a million steps, 100,000 pictures (docs/building.md)
load: $(BUILD)/build.ninja
	cmake --build --preset $(PRESET) --target load

# all tests with sanitizers, for hours
sanitize:
	scripts/sanitize.sh

# for other machines: the same bits under emulation (docs/determinism.md); needs cross compilers and qemu-user
cross: all
	scripts/cross.sh

bench: all
	$(BUILD)/caelum bench

format:
	clang-format -i $$(git ls-files '*.c' '*.h' '*.cpp' '*.hpp')

clean:
	rm -rf build build-debug build-asan build-tsan build-fuzz build-coverage build-cross build-small

.PHONY: all test install uninstall package docs page torture crash-states fuzz hostile coverage load sanitize cross bench format clean
