# Real hosts, real attempts: the worker and a plugin of hostile operators are started from their files.
add_library(hostile_plugin MODULE host/hostile/hostile.cc)
target_link_libraries(hostile_plugin PRIVATE pipelined_build)
target_link_options(hostile_plugin PRIVATE
  -Wl,--version-script=${PROJECT_SOURCE_DIR}/operators/plugin.map)
set_target_properties(hostile_plugin PROPERTIES PREFIX "" OUTPUT_NAME hostile
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test_plugins)
pipelined_add_tests(host pipelined_host pipelined_exec)
add_dependencies(host_tests pipelined-worker hostile_plugin)
target_compile_definitions(host_tests PRIVATE
  WORKER_PATH="$<TARGET_FILE:pipelined-worker>"
  HOSTILE_PLUGIN_PATH="$<TARGET_FILE:hostile_plugin>")
