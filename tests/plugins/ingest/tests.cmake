pipelined_add_tests(plugins/ingest pipelined_ingest_operators pipelined_operator_testing)
if(TARGET plugins_ingest_tests)
  target_compile_definitions(plugins_ingest_tests PRIVATE PIPELINED_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(plugins_ingest_tests PRIVATE nlohmann_json::nlohmann_json SQLite::SQLite3)
endif()
add_test(NAME oracles/ingest COMMAND ${PIPELINED_DEPS}/venv/bin/python
  ${CMAKE_CURRENT_SOURCE_DIR}/oracles/ingest_oracle.py ${CMAKE_CURRENT_SOURCE_DIR}/plugins/ingest/data/nasty.jsonl)
set_tests_properties(oracles/ingest PROPERTIES LABELS oracle)
