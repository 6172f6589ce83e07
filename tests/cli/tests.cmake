pipelined_add_tests(cli pipelined_cli pipelined_api Boost::headers nlohmann_json::nlohmann_json
                    Threads::Threads)
if(TARGET cli_tests)
  target_compile_definitions(cli_tests PRIVATE PIPELINED_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endif()
