# The rules of the tree, and the proof that each of them can fail.
find_package(Python3 COMPONENTS Interpreter REQUIRED)
set(tidy ${CMAKE_CURRENT_SOURCE_DIR}/tidy)
foreach(rule includes cycles functions shapes words)
  add_test(NAME tidy/${rule} COMMAND Python3::Interpreter -B ${tidy}/tidy.py ${rule})
endforeach()
add_test(NAME tidy/symbols
  COMMAND Python3::Interpreter -B ${tidy}/tidy.py symbols $<TARGET_FILE:pipelined_dag>)
add_test(NAME tidy/self_test COMMAND Python3::Interpreter -B ${tidy}/self_test.py)
