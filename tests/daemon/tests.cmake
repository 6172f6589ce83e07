pipelined_add_tests(daemon pipelined_daemon)
if(TARGET daemon_tests)
  target_compile_definitions(daemon_tests PRIVATE PIPELINED_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endif()
