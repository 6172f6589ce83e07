pipelined_add_tests(keeping pipelined_keeping pipelined_artifacts pipelined_store pipelined_dag
                    nlohmann_json::nlohmann_json)
