# install.cmake - what `make install` puts where, and the Debian package of the same (`make package`).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(DATA ${CMAKE_INSTALL_DATADIR}/caelum)

# The program finds its models relative to itself: ../share/caelum.
install(TARGETS caelum_cli caelum_static RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS caelum_shared EXPORT caelum LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES include/caelum.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY models studies DESTINATION ${DATA})
install(FILES ${CMAKE_BINARY_DIR}/caelum.html DESTINATION ${DATA} OPTIONAL) # page.cmake has made it, if it could
# Where Debian's Python looks, with the header that caelum.h there is a link to.
set(PYTHON lib/python3/dist-packages/caelum)
install(DIRECTORY python/caelum/ DESTINATION ${PYTHON} FILES_MATCHING PATTERN "*.py" PATTERN "py.typed")
install(FILES include/caelum.h DESTINATION ${PYTHON})
install(DIRECTORY examples docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(NOT CMAKE_CROSSCOMPILING) # share.cmake has made them
  install(DIRECTORY ${CMAKE_BINARY_DIR}/share/ DESTINATION ${CMAKE_INSTALL_DATADIR})
endif()
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

# pkg-config: paths relative to the file, so that the tree can be moved. Only static users need the parts, by what
# links them and not by Requires.private: that would ask for the parts' own static parts, of which Debian has not all.
file(RELATIVE_PATH PC_TO_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
foreach(name PNG JPEG ARCHIVE JANSSON NETTLE ZLIB ${CAELUM_PART_NAMES})
  list(APPEND PC_PRIVATE ${${name}_LDFLAGS})
endforeach()
list(TRANSFORM CMAKE_DL_LIBS PREPEND -l OUTPUT_VARIABLE dl)
list(APPEND PC_PRIVATE ${dl} ${CMAKE_THREAD_LIBS_INIT} -lm)
list(REMOVE_ITEM PC_PRIVATE -L/usr/lib -L/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}) # where every linker looks
list(JOIN PC_PRIVATE " " PC_PRIVATE)
configure_file(cmake/caelum.pc.in caelum.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/caelum.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# CMake: find_package(caelum) gives the target caelum::caelum.
set_target_properties(caelum_shared PROPERTIES EXPORT_NAME caelum)
install(EXPORT caelum NAMESPACE caelum:: FILE caelum-config.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/caelum)
write_basic_package_version_file(caelum-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/caelum-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/caelum)

# --- Debian package --------------------------------------------------------------------------------

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_CONTACT "The caelum authors <caelum@localhost>")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "convolutional autoencoders on pictures, on the CPU
 Trains, measures and runs convolutional autoencoders: reconstruction, colorization of grey pictures,
 codes as small files. A program and a library in C.")
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_DEPENDS fonts-dejavu-core) # cairo brings no font
if(LAPACK_FOUND)
  string(APPEND CPACK_DEBIAN_PACKAGE_DEPENDS ", liblapacke") # loaded on demand: not seen by dpkg-shlibdeps
endif()
if(CURL_FOUND)
  string(APPEND CPACK_DEBIAN_PACKAGE_DEPENDS ", libcurl4 | libcurl3-gnutls, ca-certificates") # likewise
endif()
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS python3-numpy) # the Python package
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "python3-pil, python3-torch, python3-h5py")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON) # needs dpkg-shlibdeps, package dpkg-dev
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/cmake/triggers) # ldconfig
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# A package for each plugin: who trains on one machine needs no MPI.
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_NAME caelum)
set(CPACK_DEBIAN_OPENMPI_PACKAGE_NAME caelum-openmpi)
set(CPACK_DEBIAN_OPENMPI_PACKAGE_DEPENDS "caelum (= ${PROJECT_VERSION}), openmpi-bin")
set(CPACK_COMPONENT_OPENMPI_DESCRIPTION "training by caelum on several machines, connected by Open MPI")
set(CPACK_DEBIAN_MPICH_PACKAGE_NAME caelum-mpich)
set(CPACK_DEBIAN_MPICH_PACKAGE_DEPENDS "caelum (= ${PROJECT_VERSION}), mpich")
set(CPACK_COMPONENT_MPICH_DESCRIPTION "training by caelum on several machines, connected by MPICH")
include(CPack)
