# mpi.cmake - a plugin for each MPI that is there, caelum-openmpi.so and caelum-mpich.so, which the program loads where
# that MPI's launcher has started it (base/launcher.c). CAELUM_WITH_OPENMPI and CAELUM_WITH_MPICH: AUTO, ON or OFF.
include(GNUInstallDirs)
set(PLUGINS ${CMAKE_INSTALL_LIBDIR}/caelum)
# Where dlopen looks for them: next to the program and the library, or in the directory of that name.
set_target_properties(caelum_shared PROPERTIES BUILD_RPATH $ORIGIN INSTALL_RPATH $ORIGIN/caelum)
if(TARGET caelum_cli)
  file(RELATIVE_PATH to_libdir ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(caelum_cli PROPERTIES BUILD_RPATH $ORIGIN INSTALL_RPATH $ORIGIN/${to_libdir}/caelum)
endif()

function(caelum_mpi word name module)
  set(CAELUM_WITH_${name} AUTO CACHE STRING "Build the plugin for ${word}: AUTO, ON or OFF")
  set_property(CACHE CAELUM_WITH_${name} PROPERTY STRINGS AUTO ON OFF)
  if(CAELUM_WITH_${name} STREQUAL "AUTO")
    pkg_check_modules(${name} IMPORTED_TARGET ${module})
  elseif(CAELUM_WITH_${name})
    pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${module})
  endif()
  if(NOT ${name}_FOUND)
    return()
  endif()
  add_library(caelum_${word} MODULE mpi/plugin.c)
  set_target_properties(caelum_${word} PROPERTIES PREFIX "" OUTPUT_NAME caelum-${word} C_VISIBILITY_PRESET hidden)
  target_include_directories(caelum_${word} PRIVATE include src)
  target_compile_options(caelum_${word} PRIVATE -Wno-stringop-overflow) # of MPICH's MPI_STATUSES_IGNORE, address 1
  target_link_libraries(caelum_${word} PRIVATE PkgConfig::${name})
  install(TARGETS caelum_${word} LIBRARY DESTINATION ${PLUGINS} COMPONENT ${word})
endfunction()

caelum_mpi(openmpi OPENMPI ompi-c)
caelum_mpi(mpich MPICH mpich)
