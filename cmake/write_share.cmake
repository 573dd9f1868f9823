# cmake -D PROGRAM=caelum -D SHARE=DIR -P write_share.cmake; see share.cmake.
function(write path)
  get_filename_component(directory ${SHARE}/${path} DIRECTORY)
  file(MAKE_DIRECTORY ${directory})
  execute_process(COMMAND ${PROGRAM} ${ARGN} OUTPUT_FILE ${SHARE}/${path} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${SHARE})
write(man/man1/caelum.1 man)
file(STRINGS ${SHARE}/man/man1/caelum.1 pages REGEX "^\\.Xr caelum-") # its list of the others
foreach(page ${pages})
  string(REGEX REPLACE "^\\.Xr caelum-([a-z]+) .*" "\\1" command ${page})
  write(man/man1/caelum-${command}.1 man ${command})
endforeach()
write(bash-completion/completions/caelum completion bash)
write(zsh/site-functions/_caelum completion zsh)
write(fish/vendor_completions.d/caelum.fish completion fish)
