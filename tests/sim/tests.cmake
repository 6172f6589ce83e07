file(GLOB sim_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/sim/*.cc)
add_executable(pipelined-sim ${sim_sources})
target_link_libraries(pipelined-sim PRIVATE pipelined_build pipelined_supervisor pipelined_dag)
add_test(NAME sim/short COMMAND pipelined-sim --first 1 --count 20)
