pipelined_add_tests(plugins/transform pipelined_transform pipelined_operator_testing
  nlohmann_json::nlohmann_json)
if(EXISTS ${PIPELINED_DEPS}/venv/bin/python)
  add_test(NAME oracles/transform COMMAND ${PIPELINED_DEPS}/venv/bin/python
    ${CMAKE_CURRENT_SOURCE_DIR}/oracles/transform_oracle.py $<TARGET_FILE:operator_driver>)
endif()
