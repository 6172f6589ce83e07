pipelined_add_tests(cli pipelined_cli pipelined_api Boost::headers nlohmann_json::nlohmann_json
                    Threads::Threads)
if(TARGET cli_tests)
  target_compile_definitions(cli_tests PRIVATE PIPELINED_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endif()
if(TARGET cli_tests AND TARGET plugin_data)
  # Verbs on plain files start the worker with the standard plugins.
  add_dependencies(cli_tests pipelined-worker plugin_ingest plugin_data)
  target_compile_definitions(cli_tests PRIVATE
    WORKER_PATH="$<TARGET_FILE:pipelined-worker>" PLUGINS_FOLDER="${CMAKE_BINARY_DIR}/plugins")
endif()
