# The program writes its own manual pages and shell completions, from its tables of commands and options:
#   share/man/man1/*.1  share/bash-completion/completions/caelum  share/zsh/site-functions/_caelum
#   share/fish/vendor_completions.d/caelum.fish
# in the build directory, each time that it is linked. A program for another machine can't run here.
if(NOT CMAKE_CROSSCOMPILING)
  add_custom_command(TARGET caelum_cli POST_BUILD
    COMMAND ${CMAKE_COMMAND} -D PROGRAM=$<TARGET_FILE:caelum_cli> -D SHARE=${CMAKE_BINARY_DIR}/share
      -P ${CMAKE_CURRENT_LIST_DIR}/write_share.cmake
    COMMENT "Writing manual pages and completions" VERBATIM)
endif()
