# The engine here is a scripted one (scripted_engine.h, defined in the test); the real one is not linked.
pipelined_add_tests(supervisor pipelined_supervisor pipelined_dag)
