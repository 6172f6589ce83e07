pipelined_add_tests(dag engine_world pipelined_dag)
if(TARGET dag_tests)
  target_compile_definitions(dag_tests PRIVATE PIPELINED_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endif()
