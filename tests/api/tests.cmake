pipelined_add_tests(api engine_world pipelined_api Boost::headers nlohmann_json::nlohmann_json Threads::Threads)
if(TARGET api_tests)
  target_compile_definitions(api_tests PRIVATE PIPELINED_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endif()
