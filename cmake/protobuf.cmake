# protobuf-c, which writes the files of other programs that are made of protocol buffers. Optional: without it
# those files are not written, and all else is as it is.
set(CAELUM_WITH_PROTOBUF AUTO CACHE STRING "Write protocol buffers: AUTO (if protobuf-c is there), ON or OFF")
set_property(CACHE CAELUM_WITH_PROTOBUF PROPERTY STRINGS AUTO ON OFF)

set(PROTOBUF_FOUND FALSE)
set(PROTOBUF_DIRECTORY ${PROJECT_BINARY_DIR}/proto)
if(CAELUM_WITH_PROTOBUF)
  if(CAELUM_WITH_PROTOBUF STREQUAL "AUTO")
    set(needed "")
  else()
    set(needed REQUIRED)
  endif()
  pkg_check_modules(PROTOBUF_C ${needed} IMPORTED_TARGET libprotobuf-c)
  find_program(PROTOC_C protoc-c ${needed})
  if(PROTOBUF_C_FOUND AND PROTOC_C)
    set(PROTOBUF_FOUND TRUE)
    file(MAKE_DIRECTORY ${PROTOBUF_DIRECTORY})
    target_compile_definitions(caelum PUBLIC CAELUM_WITH_PROTOBUF=1)
    target_include_directories(caelum SYSTEM PRIVATE ${PROTOBUF_DIRECTORY})
    target_link_libraries(caelum PRIVATE PkgConfig::PROTOBUF_C)
  endif()
endif()

# caelum_protobuf(PROTO SOURCES): sets SOURCES to NAME.pb-c.c and NAME.pb-c.h, which the build makes from
# NAME.proto and the library's files include as "NAME.pb-c.h"; to nothing without protobuf-c.
function(caelum_protobuf proto sources)
  if(NOT PROTOBUF_FOUND)
    set(${sources} "" PARENT_SCOPE)
    return()
  endif()
  get_filename_component(proto ${proto} ABSOLUTE)
  get_filename_component(directory ${proto} DIRECTORY)
  get_filename_component(name ${proto} NAME_WLE)
  set(made ${PROTOBUF_DIRECTORY}/${name}.pb-c.c ${PROTOBUF_DIRECTORY}/${name}.pb-c.h)
  add_custom_command(OUTPUT ${made} DEPENDS ${proto} VERBATIM
    COMMAND ${PROTOC_C} --proto_path=${directory} --c_out=${PROTOBUF_DIRECTORY} ${proto})
  set_source_files_properties(${made} PROPERTIES COMPILE_OPTIONS -w) # not our code, not our warnings
  set(${sources} ${made} PARENT_SCOPE)
endfunction()
