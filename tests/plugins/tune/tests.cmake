pipelined_add_tests(plugins/tune pipelined_tune pipelined_operator_testing
  nlohmann_json::nlohmann_json)

# A search step by step; the oracle in Python compares densities, promotions and what is found.
add_executable(tune_driver ${CMAKE_CURRENT_SOURCE_DIR}/plugins/tune/tune_driver.cc)
target_link_libraries(tune_driver PRIVATE pipelined_tune nlohmann_json::nlohmann_json)
if(EXISTS ${PIPELINED_DEPS}/venv/bin/python)
  add_test(NAME oracles/tune COMMAND ${PIPELINED_DEPS}/venv/bin/python
    ${CMAKE_CURRENT_SOURCE_DIR}/oracles/tune_oracle.py $<TARGET_FILE:tune_driver>)
endif()
