# The readers of bytes from outside, with their corpus; see docs/simulation.md.
file(GLOB fuzz_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/*.cc)
add_executable(pipelined-fuzz ${fuzz_sources})
# Of a plugin only the reader: the whole takes minutes to compile under sanitizers.
target_sources(pipelined-fuzz PRIVATE ${PROJECT_SOURCE_DIR}/plugins/data/statistics_from_proto.cc
  ${PROJECT_SOURCE_DIR}/plugins/data/feature_facts.cc ${PROJECT_SOURCE_DIR}/plugins/data/distribution.cc
  ${PROJECT_SOURCE_DIR}/plugins/data/moment_text.cc)
target_link_libraries(pipelined-fuzz PRIVATE pipelined_build pipelined_api pipelined_daemon pipelined_operators
  pipelined_store pipelined_dag pipelined_plugin_common)
set_source_files_properties(fuzz/coverage.cc PROPERTIES COMPILE_OPTIONS
  "-fno-sanitize=all;-fno-sanitize-coverage=trace-pc")
add_test(NAME fuzz/replay COMMAND pipelined-fuzz --corpus ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus)
