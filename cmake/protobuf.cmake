# protobuf.cmake - caelum_protobuf(PROTO SOURCES): sets SOURCES to NAME.pb-c.c and NAME.pb-c.h, which the build makes
# from NAME.proto and the library's files include as "NAME.pb-c.h"; to nothing without protobuf-c.
set(PROTOBUF_DIRECTORY ${PROJECT_BINARY_DIR}/proto)
file(MAKE_DIRECTORY ${PROTOBUF_DIRECTORY})

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
