pipelined_add_tests(plugins/train pipelined_train pipelined_operator_testing nlohmann_json::nlohmann_json)
if(EXISTS ${PIPELINED_DEPS}/venv/bin/python)
  add_test(NAME oracles/linear COMMAND ${PIPELINED_DEPS}/venv/bin/python
    ${CMAKE_CURRENT_SOURCE_DIR}/oracles/linear_oracle.py $<TARGET_FILE:operator_driver>)
endif()
