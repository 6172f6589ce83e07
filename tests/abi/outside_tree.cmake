# Installs the package into the build folder, builds the example against it as a project of its own,
# and lets the worker read what came out.
set(folder ${BUILD}/outside_tree)
file(REMOVE_RECURSE ${folder})
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output
                  ERROR_VARIABLE complaint)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGV} ended with ${status}\n${output}${complaint}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --component sdk --prefix ${folder}/prefix)
# A copy, so that nothing of this tree is found by a relative path.
file(COPY ${SOURCE}/plugins/example/ DESTINATION ${folder}/source)
run(${CMAKE_COMMAND} -S ${folder}/source -B ${folder}/build
    -DCMAKE_PREFIX_PATH=${folder}/prefix -DCMAKE_CXX_FLAGS=-Wall\ -Wextra\ -Werror)
run(${CMAKE_COMMAND} --build ${folder}/build)
run(nm -D --defined-only ${folder}/build/example.so)
if(NOT output MATCHES "^[0-9a-f]+ [A-Z] pl_plugin_entry\n$")
  message(FATAL_ERROR "the plugin exports more than its entry:\n${output}")
endif()

# What `pipectl operators new` writes builds in the same way.
run(${PIPECTL} operators new words ${folder}/words)
run(${CMAKE_COMMAND} -S ${folder}/words -B ${folder}/words/build
    -DCMAKE_PREFIX_PATH=${folder}/prefix -DCMAKE_CXX_FLAGS=-Wall\ -Wextra\ -Werror)
run(${CMAKE_COMMAND} --build ${folder}/words/build)
run(${WORKER} describe ${folder}/words/build/words.so)
string(JSON made GET "${output}" operators 0 id)
if(NOT made STREQUAL "words.count")
  message(FATAL_ERROR "the worker read \"${made}\"")
endif()
run(${WORKER} describe ${folder}/build/example.so)
string(JSON id GET "${output}" operators 0 id)
if(NOT id STREQUAL "example.count")
  message(FATAL_ERROR "the worker read \"${id}\"")
endif()
