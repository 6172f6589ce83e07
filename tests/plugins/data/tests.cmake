pipelined_add_tests(plugins/data pipelined_data_operators pipelined_operator_testing)
if(TARGET plugins_data_tests)
  target_compile_definitions(plugins_data_tests PRIVATE PIPELINED_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endif()

# The operators on folders, for the comparison with pandas, numpy and scipy.
add_executable(run_data_operator oracles/run_operator.cc)
target_link_libraries(run_data_operator PRIVATE pipelined_data_operators pipelined_ingest_operators
  pipelined_operator_testing nlohmann_json::nlohmann_json)
set(oracle_python ${PIPELINED_DEPS}/venv/bin/python)
add_test(NAME oracles/data COMMAND ${oracle_python} ${CMAKE_CURRENT_SOURCE_DIR}/oracles/data_oracle.py
  $<TARGET_FILE:run_data_operator> ${PIPELINED_DEPS}/data)
set_tests_properties(oracles/data PROPERTIES LABELS oracle SKIP_RETURN_CODE 77)
add_test(NAME oracles/statistics COMMAND ${oracle_python}
  ${CMAKE_CURRENT_SOURCE_DIR}/oracles/statistics_oracle.py $<TARGET_FILE:run_data_operator>)
set_tests_properties(oracles/statistics PROPERTIES LABELS oracle SKIP_RETURN_CODE 77)
add_test(NAME oracles/drift COMMAND ${oracle_python}
  ${CMAKE_CURRENT_SOURCE_DIR}/oracles/drift_oracle.py $<TARGET_FILE:run_data_operator>)
set_tests_properties(oracles/drift PROPERTIES LABELS oracle SKIP_RETURN_CODE 77)
add_test(NAME oracles/statistics_proto COMMAND ${oracle_python}
  ${CMAKE_CURRENT_SOURCE_DIR}/oracles/statistics_proto_oracle.py $<TARGET_FILE:run_data_operator>)
set_tests_properties(oracles/statistics_proto PROPERTIES LABELS oracle SKIP_RETURN_CODE 77)
