# The service file, judged by systemd's own tools.
if(TARGET pipelined)
foreach(part verify security)
  add_test(NAME etc/unit_${part}
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/etc/unit_file.sh ${part} $<TARGET_FILE:pipelined>)
  set_tests_properties(etc/unit_${part} PROPERTIES SKIP_RETURN_CODE 77)
endforeach()
endif()
