# One interface target that every target of ours links: include root, warnings, hardening, sanitizers.
add_library(pipelined_build INTERFACE)
target_include_directories(pipelined_build INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(pipelined_build INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
  # g++ 12 sees overlaps in `"text" + string` where there are none (GCC bug 105329).
  -Wno-restrict
  # Moves of a std::variant look uninitialised to it (GCC bug 105562).
  -Wno-maybe-uninitialized
  -fstack-protector-strong)
# What is tested is optimised and hardened; the tests themselves compile in half the time without.
set(is_test $<BOOL:$<TARGET_PROPERTY:PIPELINED_TEST>>)
target_compile_options(pipelined_build INTERFACE
  $<$<AND:$<CONFIG:Release>,$<NOT:${is_test}>>:-D_FORTIFY_SOURCE=2>
  $<${is_test}:-O0>)
target_link_options(pipelined_build INTERFACE -Wl,-z,relro,-z,now)
if(PIPELINED_FUZZ)
  # Only pipelined-fuzz defines what this calls.
  target_compile_options(pipelined_build INTERFACE -fsanitize-coverage=trace-pc)
endif()
if(PIPELINED_SANITIZE)
  target_compile_options(pipelined_build INTERFACE
    -fsanitize=${PIPELINED_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(pipelined_build INTERFACE -fsanitize=${PIPELINED_SANITIZE})
  if(NOT PIPELINED_FUZZ)
    # Before every access through a pointer these take a third of the time to compile; address
    # sanitising sees null pointers too, and the fuzzers' build keeps both.
    target_compile_options(pipelined_build INTERFACE -fno-sanitize=null,alignment)
  endif()
  # Checks of undefined behaviour in the tests' own macros double what they take to compile.
  target_compile_options(pipelined_build INTERFACE $<${is_test}:-fno-sanitize=undefined>)
  # The engine goes through millions of steps; the rest compiles a third faster as it is written.
  set(simulated "pipelined_dag;pipelined_supervisor;memory_ledger;pipelined-sim")
  target_compile_options(pipelined_build INTERFACE
    "$<$<IN_LIST:$<TARGET_PROPERTY:NAME>,${simulated}>:-O1>")
endif()
