# Schedules beside Python's zoneinfo and croniter.
add_test(NAME oracles/schedule COMMAND ${PIPELINED_DEPS}/venv/bin/python
  ${CMAKE_CURRENT_SOURCE_DIR}/oracles/schedule_oracle.py $<TARGET_FILE:pipectl>
  ${CMAKE_CURRENT_SOURCE_DIR}/dag/data/cron.tsv ${CMAKE_CURRENT_SOURCE_DIR}/dag/data/dst.tsv)
set_tests_properties(oracles/schedule PROPERTIES LABELS oracle SKIP_RETURN_CODE 77)
