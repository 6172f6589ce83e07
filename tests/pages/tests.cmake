# Pages in a browser.
if(TARGET run_data_operator OR TARGET plugin_data)
  add_test(NAME pages/statistics COMMAND ${PIPELINED_DEPS}/venv/bin/python
    ${CMAKE_CURRENT_SOURCE_DIR}/pages/statistics_pages.py ${CMAKE_BINARY_DIR}/bin/pipectl
    ${CMAKE_BINARY_DIR}/bin/run_data_operator)
  set_tests_properties(pages/statistics PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
endif()
if(EXISTS ${PIPELINED_DEPS}/venv/bin/python)
  add_test(NAME pages/model COMMAND ${PIPELINED_DEPS}/venv/bin/python
    ${CMAKE_CURRENT_SOURCE_DIR}/pages/model_pages.py $<TARGET_FILE:operator_driver>)
  set_tests_properties(pages/model PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
endif()
if(EXISTS ${PIPELINED_DEPS}/venv/bin/python)
  add_test(NAME pages/tuning COMMAND ${PIPELINED_DEPS}/venv/bin/python
    ${CMAKE_CURRENT_SOURCE_DIR}/pages/tuning_pages.py $<TARGET_FILE:tune_driver>)
  set_tests_properties(pages/tuning PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
endif()
add_test(NAME pages/card COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/pages/card_pages.py ${CMAKE_BINARY_DIR})
set_tests_properties(pages/card PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
