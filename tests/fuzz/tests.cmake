# The readers of bytes from outside, with their corpus; see docs/simulation.md.
file(GLOB fuzz_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/*.cc)
add_executable(pipelined-fuzz ${fuzz_sources})
target_link_libraries(pipelined-fuzz PRIVATE pipelined_build pipelined_api pipelined_daemon pipelined_operators
  pipelined_store pipelined_dag pipelined_plugin_common)
set_source_files_properties(fuzz/coverage.cc PROPERTIES COMPILE_OPTIONS
  "-fno-sanitize=all;-fno-sanitize-coverage=trace-pc")
add_test(NAME fuzz/replay COMMAND pipelined-fuzz --corpus ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus)
