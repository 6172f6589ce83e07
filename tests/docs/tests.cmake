# The runner of the documentation itself; the documents are run by tests/docs/run_docs.py --build.
find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND)
  add_test(NAME docs/runner
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/docs/run_docs_test.py)
endif()
