# Keras's files are HDF5 inside: an optional part. AUTO: if the library is there.
set(CAELUM_WITH_HDF5 AUTO CACHE STRING "Keras files over libhdf5: AUTO, ON or OFF")
set_property(CACHE CAELUM_WITH_HDF5 PROPERTY STRINGS AUTO ON OFF)

if(NOT CAELUM_WITH_HDF5 STREQUAL "OFF")
  pkg_check_modules(HDF5 IMPORTED_TARGET hdf5)
  if(NOT HDF5_FOUND AND CAELUM_WITH_HDF5 STREQUAL "ON")
    message(FATAL_ERROR "CAELUM_WITH_HDF5=ON, but pkg-config knows no hdf5 (Debian: libhdf5-dev)")
  endif()
endif()

if(NOT CAELUM_WITH_HDF5 STREQUAL "OFF" AND HDF5_FOUND)
  target_link_libraries(caelum PRIVATE PkgConfig::HDF5)
  target_compile_definitions(caelum PRIVATE CAELUM_HDF5)
else()
  get_target_property(sources caelum SOURCES)
  list(FILTER sources EXCLUDE REGEX "src/exchange/(h5|keras|child)[^/]*\\.c$")
  set_target_properties(caelum PROPERTIES SOURCES "${sources}")
endif()
