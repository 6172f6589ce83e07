pipelined_add_tests(plugins/train pipelined_train pipelined_operator_testing nlohmann_json::nlohmann_json)
if(EXISTS ${PIPELINED_DEPS}/venv/bin/python)
  foreach(oracle linear onnx trees)
    add_test(NAME oracles/${oracle} COMMAND ${PIPELINED_DEPS}/venv/bin/python
      ${CMAKE_CURRENT_SOURCE_DIR}/oracles/${oracle}_oracle.py $<TARGET_FILE:operator_driver>)
  endforeach()
  add_test(NAME oracles/python_steps COMMAND ${PIPELINED_DEPS}/venv/bin/python
    ${CMAKE_CURRENT_SOURCE_DIR}/oracles/python_steps.py $<TARGET_FILE:operator_driver>)
  add_test(NAME oracles/odd_data COMMAND ${PIPELINED_DEPS}/venv/bin/python
    ${CMAKE_CURRENT_SOURCE_DIR}/oracles/odd_data.py $<TARGET_FILE:operator_driver>)
  set_tests_properties(oracles/onnx PROPERTIES SKIP_RETURN_CODE 77)
endif()
