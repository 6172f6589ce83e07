if(TARGET pipelined_operator_testing)
  pipelined_add_tests(operators pipelined_operator_testing nlohmann_json::nlohmann_json)
endif()
