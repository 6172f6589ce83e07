/* Plugins that must be refused, or that behave badly while they load: one for each VARIANT_ macro.
 * Written in C11, so that the plain C side of the interface is compiled and loaded as well. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "operators/pipelined_plugin.h"

#if defined(VARIANT_major)
#define MAJOR 99u
#else
#define MAJOR PL_ABI_MAJOR
#endif
#if defined(VARIANT_minor)
#define MINOR 77u
#else
#define MINOR PL_ABI_MINOR
#endif
#if defined(VARIANT_short_entry)
#define ENTRY_SIZE 16u
#else
#define ENTRY_SIZE sizeof(pl_plugin_t)
#endif
#if defined(VARIANT_short_port)
#define PORT_SIZE 24u
#else
#define PORT_SIZE sizeof(pl_port_t)
#endif
#if defined(VARIANT_contradiction)
#define FLAGS (PL_CACHEABLE | PL_EFFECT)
#else
#define FLAGS (PL_CACHEABLE | PL_DETERMINISTIC)
#endif
#if defined(VARIANT_taken)
#define OPERATOR "example.count"
#else
#define OPERATOR "variant.run"
#endif
#if defined(VARIANT_dev)
#define VERSION "1.0-dev"
#else
#define VERSION "1.0"
#endif

#if defined(VARIANT_crash)
__attribute__((constructor)) static void crash(void) { raise(SIGSEGV); }
#elif defined(VARIANT_hang)
__attribute__((constructor)) static void hang(void) {
  for (;;) pause();
}
#elif defined(VARIANT_leave)
__attribute__((constructor)) static void leave(void) { _exit(0); }
#elif defined(VARIANT_print)
__attribute__((constructor)) static void print(void) {
  puts("{\"id\":\"forged\"}");
  fflush(stdout);
}
#elif defined(VARIANT_write)
__attribute__((constructor)) static void write_file(void) {
  FILE* file = fopen("variant-was-here", "w");
  if (file) raise(SIGABRT);
}
#elif defined(VARIANT_thread)
static pthread_barrier_t named;
static void* wait_for_ever(void* nothing) {
  pthread_setname_np(pthread_self(), "restless");
  pthread_barrier_wait(&named);
  for (;;) pause();
  return nothing;
}
__attribute__((constructor)) static void start_thread(void) {
  pthread_t thread;
  pthread_barrier_init(&named, NULL, 2);
  pthread_create(&thread, NULL, wait_for_ever, NULL);
  pthread_barrier_wait(&named);
}
#endif

#if defined(VARIANT_no_entry)
const int no_entry = 0;
#else

static int32_t run(const pl_context_t* context, pl_error_t* error) {
  const char* folder = context->output_path(context, "report");
  if (folder == NULL) {
    strcpy(error->subject, "report");
    strcpy(error->message, "no such output");
    return PL_INVALID;
  }
  return 42;
}

static const pl_port_t report = {PORT_SIZE, 0, "report", "report/1", NULL, "nothing"};
static const pl_port_t* const outputs[] = {&report};

#if defined(VARIANT_asks)
static const char* now(void) { return "7.1"; }
static const pl_library_t library = {sizeof(pl_library_t), 0, "found", NULL, now};
static const pl_library_t* const libraries[] = {&library};
#define LIBRARY_COUNT 1
#define LIBRARIES libraries
#else
#define LIBRARY_COUNT 0
#define LIBRARIES NULL
#endif

static const pl_operator_t only = {
    sizeof(pl_operator_t), FLAGS, OPERATOR, 1, "A variant", NULL, 0, 1, 0, LIBRARY_COUNT,
    NULL, outputs, NULL, LIBRARIES, 1, 0, run};
static const pl_operator_t* const operators[] = {&only};

#if defined(VARIANT_init)
static int32_t init(pl_error_t* error) {
  strcpy(error->message, "no licence");
  return PL_FAILED;
}
#define INIT init
#else
#define INIT NULL
#endif

const pl_plugin_t pl_plugin_entry = {
    MAJOR, MINOR, ENTRY_SIZE, 1, "variant", VERSION, operators, NULL, INIT, NULL};
#endif
