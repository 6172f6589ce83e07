# pipelined_add_plugin(NAME SOURCES... [LIBRARIES ...] [EXAMPLE]): one shared library that exports the
# entry alone.  An EXAMPLE is neither installed nor where the daemon looks.
function(pipelined_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "EXAMPLE" "" "SOURCES;LIBRARIES")
  add_library(plugin_${name} MODULE ${arg_SOURCES})
  target_link_libraries(plugin_${name} PRIVATE pipelined_build ${arg_LIBRARIES})
  target_link_options(plugin_${name} PRIVATE
    -Wl,--version-script=${PROJECT_SOURCE_DIR}/operators/plugin.map -Wl,-z,defs)
  set_target_properties(plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins
    BUILD_RPATH "${PIPELINED_ARROW_LIB_DIR}" INSTALL_RPATH "$ORIGIN/../lib")
  if(arg_EXAMPLE)
    set_target_properties(plugin_${name} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/example_plugins)
    return()
  endif()
  set_property(GLOBAL APPEND PROPERTY PIPELINED_PLUGINS plugin_${name})
  install(TARGETS plugin_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/pipelined/plugins)
endfunction()
