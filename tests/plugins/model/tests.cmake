pipelined_add_tests(plugins/model pipelined_evaluation pipelined_train pipelined_operator_testing
  nlohmann_json::nlohmann_json)

# Runs operators on plain folders; the oracles in Python compare what comes out.
add_executable(operator_driver ${CMAKE_CURRENT_SOURCE_DIR}/plugins/model/operator_driver.cc)
target_link_libraries(operator_driver PRIVATE pipelined_evaluation pipelined_train
  pipelined_transform pipelined_operator_testing nlohmann_json::nlohmann_json)
if(EXISTS ${PIPELINED_DEPS}/venv/bin/python)
  add_test(NAME oracles/model COMMAND ${PIPELINED_DEPS}/venv/bin/python
    ${CMAKE_CURRENT_SOURCE_DIR}/oracles/model_oracle.py $<TARGET_FILE:operator_driver>)
  add_test(NAME oracles/mlflow COMMAND ${PIPELINED_DEPS}/venv/bin/python
    ${CMAKE_CURRENT_SOURCE_DIR}/oracles/mlflow_oracle.py $<TARGET_FILE:operator_driver>
    $<TARGET_FILE:pipectl>)
  set_tests_properties(oracles/mlflow PROPERTIES LABELS oracle SKIP_RETURN_CODE 77 TIMEOUT 300)
endif()
