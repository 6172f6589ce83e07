pipelined_add_tests(daemon pipelined_daemon)
if(TARGET daemon_tests)
  target_compile_definitions(daemon_tests PRIVATE PIPELINED_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endif()
if(TARGET pipelined AND TARGET pipectl)
  add_test(NAME daemon/smoke
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/daemon/smoke.sh $<TARGET_FILE_DIR:pipelined>)
endif()
