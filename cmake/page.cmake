# The browser page, build/caelum.html: the library compiled to WebAssembly, twice, and what is in page/. Needs Debian's
# clang-19, lld-19, libclang-rt-19-dev-wasm32, wasi-libc, and Python; without them the page is left out.
find_program(PAGE_CLANG clang-19)
find_program(PAGE_LINKER wasm-ld-19)
find_file(PAGE_LIBC libc.a PATHS /usr/lib/wasm32-wasi NO_DEFAULT_PATH)
find_file(PAGE_RUNTIME libclang_rt.builtins-wasm32.a PATHS /usr/lib/llvm-19/lib/clang/19/lib
  PATH_SUFFIXES wasi wasm32-unknown-wasi NO_DEFAULT_PATH)
find_package(Python3 COMPONENTS Interpreter)
if(NOT (PAGE_CLANG AND PAGE_LINKER AND PAGE_LIBC AND PAGE_RUNTIME AND Python3_FOUND))
  add_custom_target(page COMMAND ${CMAKE_COMMAND} -E echo
    "the page needs clang-19, lld-19, libclang-rt-19-dev-wasm32, wasi-libc and python3" COMMAND false)
  return()
endif()

set(PAGE_DIR ${CMAKE_BINARY_DIR}/page)
set(PAGE_FLAGS --target=wasm32-wasi -std=c11 -msimd128 -Wall -Wextra -Wshadow -D_XOPEN_SOURCE=700 -D_WASI_EMULATED_MMAN
  -ffunction-sections -fdata-sections -I${CMAKE_SOURCE_DIR}/include -I${CMAKE_SOURCE_DIR}/src
  -I${CMAKE_SOURCE_DIR}/page/wasm -include ${CMAKE_SOURCE_DIR}/page/wasm/wasi.h)
set(PAGE_KERNEL_FLAGS -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math)

# page_compile(OUTPUT SOURCE FLAG...)
function(page_compile output source)
  get_filename_component(directory ${output} DIRECTORY)
  file(MAKE_DIRECTORY ${directory})
  add_custom_command(OUTPUT ${output} DEPENDS ${source} DEPFILE ${output}.d VERBATIM
    COMMENT "WebAssembly: ${source}"
    COMMAND ${CMAKE_C_COMPILER_LAUNCHER} ${PAGE_CLANG} ${PAGE_FLAGS} ${ARGN} -MD -MF ${output}.d -MT ${output} -c
      ${source} -o ${output})
endfunction()

# The library without what page/wasm/stubs.c stands for, and what neither needs.
file(GLOB PAGE_SOURCES CONFIGURE_DEPENDS src/layers/*.c src/net/*.c src/engine/*.c page/wasm/*.c)
foreach(part base/color base/cpu base/dist base/error base/locale base/magic base/mem base/nearest base/number base/option
    base/rng base/team base/utf8 kernels/kernels model/half model/metadata model/model model/pool image/chroma image/fade
    image/picture image/tiles data/crops data/data data/memory data/synthetic metrics/color_metrics metrics/metrics
    metrics/noise_level apply/arrays apply/colorize apply/denoise apply/predict_color apply/reconstruct train/augment
    train/fake train/fit train/klt train/muon train/optimizer train/schedule train/sum_tree train/train_settings
    train/trainer anomaly/anomaly anomaly/anomaly_calibrate anomaly/anomaly_gallery anomaly/anomaly_heat
    anomaly/anomaly_learn anomaly/anomaly_map anomaly/anomaly_rank anomaly/anomaly_regions anomaly/anomaly_test
    anomaly/anomaly_view)
  list(APPEND PAGE_SOURCES ${CMAKE_SOURCE_DIR}/src/${part}.c)
endforeach()
foreach(source ${PAGE_SOURCES})
  file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR} ${source})
  # small where time is not spent: a build may have 500,000 bytes
  set(optimize -O2)
  if(name MATCHES "^src/(anomaly|base|data|model|net)/")
    set(optimize -Os)
  endif()
  page_compile(${PAGE_DIR}/${name}.o ${source} ${optimize} -ffp-contract=off)
  list(APPEND PAGE_OBJECTS ${PAGE_DIR}/${name}.o)
endforeach()

# The kernels with a product rounded before it is added to, for every browser, and with relaxed multiply-adds.
set(KERNELS ${CMAKE_SOURCE_DIR}/src/kernels/isa_generic.c)
set(FUSE ${CMAKE_SOURCE_DIR}/page/wasm/fuse.py)
page_compile(${PAGE_DIR}/plain.o ${KERNELS} ${PAGE_KERNEL_FLAGS})
page_compile(${PAGE_DIR}/separate.ll ${KERNELS} ${PAGE_KERNEL_FLAGS} -mrelaxed-simd -S -emit-llvm)
add_custom_command(OUTPUT ${PAGE_DIR}/fused.o DEPENDS ${PAGE_DIR}/separate.ll ${FUSE} VERBATIM
  COMMAND ${Python3_EXECUTABLE} ${FUSE} ${PAGE_DIR}/separate.ll ${PAGE_DIR}/fused.ll
  COMMAND ${PAGE_CLANG} --target=wasm32-wasi -msimd128 -mrelaxed-simd -ffunction-sections -O3 -Xclang
    -disable-llvm-passes -c ${PAGE_DIR}/fused.ll -o ${PAGE_DIR}/fused.o)
set(PAGE_EXPORTS caelum_data_count caelum_net_task caelum_net_text caelum_model_metadata caelum_model_metadata_key
  caelum_model_run caelum_model_set_metadata caelum_model_set_tensor)
list(TRANSFORM PAGE_EXPORTS PREPEND -Wl,--export=)
foreach(build plain fused)
  add_custom_command(OUTPUT ${PAGE_DIR}/${build}.wasm DEPENDS ${PAGE_OBJECTS} ${PAGE_DIR}/${build}.o VERBATIM
    COMMAND ${PAGE_CLANG} --target=wasm32-wasi -mexec-model=reactor -Wl,--gc-sections,--strip-all,-z,stack-size=1048576
      ${PAGE_EXPORTS} ${PAGE_OBJECTS} ${PAGE_DIR}/${build}.o -o ${PAGE_DIR}/${build}.wasm)
endforeach()

file(GLOB PAGE_PARTS CONFIGURE_DEPENDS page/*.js page/*.css page/*.html page/*.py)
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/caelum.html VERBATIM
  DEPENDS ${PAGE_PARTS} ${PAGE_DIR}/plain.wasm ${PAGE_DIR}/fused.wasm models/colorize.safetensors models/denoiser.safetensors
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/page/bundle.py ${CMAKE_SOURCE_DIR}/page ${PAGE_DIR}
    ${CMAKE_SOURCE_DIR}/models ${CMAKE_SOURCE_DIR}/docs/images/colorize.jpg ${CMAKE_BINARY_DIR}/caelum.html)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  set(PAGE_ALL ALL)
endif()
add_custom_target(page ${PAGE_ALL} DEPENDS ${CMAKE_BINARY_DIR}/caelum.html)
