# harden.cmake - what the compiler and the linker can do against faults that were not found (docs/threats.md): checked copies,
# guarded stacks, code that can be loaded anywhere and jumped into only where it may be, tables that are read-only once the
# program runs. No figure changes by it. CAELUM_HARDEN=OFF leaves it out; so do sanitizers, which do more, and MinSizeRel.
option(CAELUM_HARDEN "Build with the compiler's and linker's protections" ON)
include(CheckCCompilerFlag)
include(CheckLinkerFlag)
include(CheckPIESupported)

if(CAELUM_HARDEN AND NOT CAELUM_SANITIZE AND NOT CMAKE_BUILD_TYPE STREQUAL "MinSizeRel")
  check_pie_supported(LANGUAGES C)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -mbranch-protection=standard)
    string(MAKE_C_IDENTIFIER "CAELUM_HAS${flag}" has)
    check_c_compiler_flag("-Werror ${flag}" ${has})
    if(${has})
      add_compile_options(${flag})
    endif()
  endforeach()
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug") # it needs an optimizer
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  endif()
  foreach(flag -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
    string(MAKE_C_IDENTIFIER "CAELUM_HAS${flag}" has)
    check_linker_flag(C ${flag} ${has})
    if(${has})
      add_link_options(${flag})
    endif()
  endforeach()
endif()
