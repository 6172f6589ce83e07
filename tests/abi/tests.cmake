# The plugin interface: its header in every language mode, its layout, what is refused, what a
# plugin outside this tree needs.
if(NOT TARGET pipelined-worker OR NOT TARGET pipelined_exec)
  return()
endif()
set(abi ${CMAKE_CURRENT_SOURCE_DIR}/abi)

foreach(mode c:c11 c:c17 c++:c++11 c++:c++17 c++:c++20)
  string(REPLACE ":" ";" mode "${mode}")
  list(GET mode 0 language)
  list(GET mode 1 standard)
  set(compiler ${CMAKE_CXX_COMPILER})
  if(language STREQUAL "c")
    set(compiler ${CMAKE_C_COMPILER})
  endif()
  add_test(NAME "abi/the header compiles as ${standard}"
    COMMAND ${compiler} -x ${language} -std=${standard} -Wall -Wextra -Wshadow -Wconversion
            -pedantic -Werror -fsyntax-only ${PROJECT_SOURCE_DIR}/operators/pipelined_plugin.h)
endforeach()

set(variants plain major minor short_entry short_port contradiction taken dev crash hang leave print
    write thread init asks no_entry)
foreach(variant ${variants})
  add_library(variant_${variant} MODULE ${abi}/variants.c)
  target_include_directories(variant_${variant} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(variant_${variant} PRIVATE VARIANT_${variant} _GNU_SOURCE)
  target_compile_options(variant_${variant} PRIVATE -fvisibility=hidden -Wall -Wextra -Werror)
  target_link_libraries(variant_${variant} PRIVATE Threads::Threads)
  set_target_properties(variant_${variant} PROPERTIES C_STANDARD 11 PREFIX ""
    OUTPUT_NAME ${variant} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/variants)
endforeach()

pipelined_add_tests(abi pipelined_exec)
target_compile_definitions(abi_tests PRIVATE
  WORKER="$<TARGET_FILE:pipelined-worker>" SOURCES="${PROJECT_SOURCE_DIR}"
  VARIANTS="${CMAKE_BINARY_DIR}/variants" EXAMPLE="$<TARGET_FILE:plugin_example>"
  PLUGINS="${CMAKE_BINARY_DIR}/plugins")
list(TRANSFORM variants PREPEND variant_)
add_dependencies(abi_tests pipelined-worker plugin_example ${variants})

add_test(NAME "abi/a plugin outside this tree builds with the installed package"
  COMMAND ${CMAKE_COMMAND} -DBUILD=${CMAKE_BINARY_DIR} -DSOURCE=${PROJECT_SOURCE_DIR}
          -DWORKER=$<TARGET_FILE:pipelined-worker> -DPIPECTL=$<TARGET_FILE:pipectl> -P ${abi}/outside_tree.cmake)
