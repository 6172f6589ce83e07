pipelined_add_tests(model pipelined_model ${XGBOOST_LIBRARY} nlohmann_json::nlohmann_json)
