# The front door for a machine that has the packages (./run and ./test install them). The program is
# build/caelum. `make PRESET=asan test` uses another preset of CMakePresets.json.
PRESET ?= release
BUILD = $(if $(filter release,$(PRESET)),build,build-$(PRESET))

all: $(BUILD)/build.ninja
	cmake --build --preset $(PRESET)

$(BUILD)/build.ninja: CMakeLists.txt CMakePresets.json
	cmake --preset $(PRESET)

test: all
	ctest --preset $(PRESET)

bench: all
	$(BUILD)/caelum bench

format:
	clang-format -i $$(git ls-files '*.c' '*.h' '*.cpp' '*.hpp')

clean:
	rm -rf build build-debug build-asan build-tsan

.PHONY: all test bench format clean
