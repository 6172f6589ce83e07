if(TARGET pipelined_watch)
  pipelined_add_tests(watch pipelined_watch)
endif()
