/* pipelined_plugin.h: the C interface between pipelined's workers and plugins, version 0.1.
 *
 * A plugin is a shared library that exports one constant, `pl_plugin_entry`, and nothing else.  It
 * is loaded only by worker processes, never by the daemon.  C++ authors rather use sdk.h, which is
 * made of this header.  It knows nothing of pipelines, runs, spans or the daemon.
 *
 * Conventions:
 *  1. Text is UTF-8 and ends with NUL.  A NULL text means "none" where that is allowed.
 *  2. Ownership: nothing that one side allocated is freed by the other.  What the host hands out
 *     lives until `run` returns; what the plugin hands over is copied before the call returns.  The
 *     entry and all that it points to are constant and live as long as the library is loaded.
 *  3. Calls and threads: every function pointer carries a tag.  [pure]: no effect, any thread, may
 *     be called before `init`.  [worker-main]: called by the thread that called `run`, or calls the
 *     plugin from there.  [any-thread]: may be called by any thread while `run` runs.
 *  4. Errors: the caller owns the pl_error_t; the function fills it and returns an outcome.  Texts
 *     in it always end with NUL.  No exception and no longjmp crosses.
 *  5. Sizes and versions: every struct but pl_plugin_t starts with `struct_size`, set by who fills
 *     it.  Fields are only ever appended; a reader touches a field only if `struct_size` covers it.
 *     Therefore arrays are arrays of pointers to structs.  `abi_major` must be equal on both sides;
 *     `abi_minor` is what the plugin needs.  While the major version is 0 the minor is equal too.
 *  6. A plugin never: writes outside its outputs and its scratch folder, calls exit, installs
 *     signal handlers, leaves a child process behind, keeps the context after `run` returned, reads
 *     a clock or an unseeded random source to decide a byte of its outputs (unless PL_ENTROPY).
 *  7. Each attempt runs in a process of its own, forked from one that has loaded the plugin and
 *     called `init`.  `run` is called once in it.
 *  8. A path is absolute.  Inputs are folders to read.  An output is an empty folder to be filled
 *     with regular files; an output folder that holds no file was not delivered.
 */
#ifndef PIPELINED_PLUGIN_H
#define PIPELINED_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#define PL_ABI_MAJOR 0u
#define PL_ABI_MINOR 1u

#define PL_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* What `run` returns.  Any other number means PL_FAILED. */
enum {
  PL_OK = 0,          /* all required outputs are there */
  PL_MORE = 1,        /* of a generator: the elements that it asked for ("element") are to be run,
                         then it is called again with all results; no outputs are taken */
  PL_HALT = 2,        /* all required outputs are there, and the data is wrong: the error's message
                         is the verdict; dependents wait and somebody is told */
  PL_INVALID = 3,     /* parameters or kinds of inputs cannot be right; trying again is in vain */
  PL_FAILED = 4,      /* these data cannot be processed; trying again is in vain */
  PL_RETRY = 5,       /* something outside was not there; try again later */
  PL_CANCELLED = 6,   /* `cancelled` said so and the plugin obeyed */
  PL_UNSUPPORTED = 7  /* not possible on this machine */
};

/* Flags of an operator. */
enum {
  PL_DETERMINISTIC = 1u << 0, /* the same inputs, parameters and seed give the same bytes */
  PL_CACHEABLE = 1u << 1,     /* its outputs may be used again */
  PL_EFFECT = 1u << 2,        /* changes the world outside; never cached */
  PL_NETWORK = 1u << 3,       /* needs sockets */
  PL_ENTROPY = 1u << 4,       /* needs real randomness; a result is kept, never recomputed */
  PL_RESUMABLE = 1u << 5,     /* can go on from what a lost attempt left in its scratch folder */
  PL_DISTRIBUTED = 1u << 6,   /* can run on several machines at once */
  PL_GENERATES = 1u << 7      /* may answer PL_MORE */
};

/* Flags of a port. */
enum {
  PL_OPTIONAL = 1u << 0, /* input: may be missing; output: may be left empty */
  PL_MANY = 1u << 1,     /* input: any number of artifacts, in order */
  PL_EVIDENCE = 1u << 2  /* output: readable by others even while the step is halted */
};

/* Flags of a parameter. */
enum {
  PL_REQUIRED = 1u << 0,
  PL_HAS_MIN = 1u << 1,
  PL_HAS_MAX = 1u << 2
};

/* Levels of a log line. */
enum { PL_DEBUG = 0, PL_INFO = 1, PL_WARNING = 2, PL_ERROR = 3 };

/* Answers of the typed parameter getters. */
enum { PL_PARAM_FOUND = 1, PL_PARAM_ABSENT = 0, PL_PARAM_OTHER_KIND = -1 };

/* Filled by a plugin that does not return PL_OK. */
typedef struct pl_error {
  uint32_t struct_size;
  uint32_t reserved;
  char subject[256];  /* the file, column or parameter that it is about; may be empty */
  char message[2048]; /* what was attempted, what is wrong, what to do; of PL_HALT: the verdict */
} pl_error_t;

/* A typed, named input or output.  The name "*" stands for all ports that the step names itself. */
typedef struct pl_port {
  uint32_t struct_size;
  uint32_t flags;     /* PL_OPTIONAL, PL_MANY, PL_EVIDENCE */
  const char* name;
  const char* type;   /* "examples/1"; "a/1|b/1" takes either; "*" takes any */
  const char* pass;   /* output: the input port whose artifact it is again; or NULL */
  const char* doc;
} pl_port_t;

/* A parameter. */
typedef struct pl_param {
  uint32_t struct_size;
  uint32_t flags;            /* PL_REQUIRED, PL_HAS_MIN, PL_HAS_MAX */
  const char* name;
  const char* kind;          /* bool int float string list table any */
  const char* default_value; /* of kind string the text itself, else JSON; NULL: none */
  const char* choices;       /* of kind string: "auto|csv|tsv"; NULL: any text */
  double min;
  double max;
  const char* doc;
} pl_param_t;

/* A library whose version decides bytes of the outputs: part of what names a cached result. */
typedef struct pl_library {
  uint32_t struct_size;
  uint32_t reserved;
  const char* name;
  const char* version; /* NULL: `read_version` says it */
  /* [pure] The version of a library that is found at load time; or NULL. */
  const char* (*read_version)(void);
} pl_library_t;

/* What the host lends to one attempt.  Pass the pointer that `run` got as the first argument. */
typedef struct pl_context pl_context_t;
struct pl_context {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data; /* the host's own; do not touch */

  /* Parameters.  Those that the step leaves out have their defaults.  `name` is that of a
   * parameter, or leads into tables: "drift.late.l_infinity".  The name "" is all of them. */

  /* [any-thread] All parameters as one JSON object. */
  const char* (*params_json)(const pl_context_t* context);
  /* [any-thread] One parameter as JSON; NULL: absent. */
  const char* (*param_json)(const pl_context_t* context, const char* name);
  /* [any-thread] PL_PARAM_FOUND sets `value`, the others leave it alone; so do the next three. */
  int32_t (*param_text)(const pl_context_t* context, const char* name, const char** value);
  /* [any-thread] */
  int32_t (*param_integer)(const pl_context_t* context, const char* name, int64_t* value);
  /* [any-thread] An integer counts as a number too. */
  int32_t (*param_number)(const pl_context_t* context, const char* name, double* value);
  /* [any-thread] Sets 0 or 1. */
  int32_t (*param_flag)(const pl_context_t* context, const char* name, int32_t* value);
  /* [any-thread] Items of a list or keys of a table; -1: absent, or neither. */
  int64_t (*param_size)(const pl_context_t* context, const char* name);
  /* [any-thread] An item of a list: a string itself, anything else as JSON; NULL: no such item. */
  const char* (*param_item)(const pl_context_t* context, const char* name, int64_t index);
  /* [any-thread] A key of a table, in sorted order; NULL: no such key. */
  const char* (*param_key)(const pl_context_t* context, const char* name, int64_t index);

  /* Inputs.  Artifacts of a MANY port come in order. */

  /* [any-thread] Name of an input port that has artifacts, in sorted order; NULL: no more. */
  const char* (*input_port)(const pl_context_t* context, int64_t index);
  /* [any-thread] Artifacts at the port; 0: none. */
  int64_t (*input_count)(const pl_context_t* context, const char* port);
  /* [any-thread] The artifact's folder; NULL: no such artifact. */
  const char* (*input_path)(const pl_context_t* context, const char* port, int64_t index);
  /* [any-thread] The artifact's type; NULL: no such artifact. */
  const char* (*input_type)(const pl_context_t* context, const char* port, int64_t index);
  /* [any-thread] The artifact's digest, 64 hexadecimal digits; NULL: no such artifact. */
  const char* (*input_digest)(const pl_context_t* context, const char* port, int64_t index);

  /* Outputs.  Ports that pass an input on are not among them. */

  /* [any-thread] Name of an output port to be written, in sorted order; NULL: no more. */
  const char* (*output_port)(const pl_context_t* context, int64_t index);
  /* [any-thread] The folder to fill; NULL: this port is not to be written. */
  const char* (*output_path)(const pl_context_t* context, const char* port);
  /* [any-thread] The type to be written; NULL: this port is not to be written. */
  const char* (*output_type)(const pl_context_t* context, const char* port);

  /* The attempt. */

  /* [any-thread] A folder for temporary files. */
  const char* (*scratch_path)(const pl_context_t* context);
  /* [any-thread] The only permitted randomness. */
  int64_t (*seed)(const pl_context_t* context);
  /* [any-thread] 1: somebody wants the attempt to end; return PL_CANCELLED soon. */
  int32_t (*cancelled)(const pl_context_t* context);
  /* [any-thread] Milliseconds left before the attempt is killed; -1: no limit. */
  int64_t (*deadline_ms)(const pl_context_t* context);
  /* [any-thread] How many threads to use. */
  double (*cpus)(const pl_context_t* context);
  /* [any-thread] Bytes of memory to stay below; 0: no limit stated. */
  int64_t (*memory_bytes)(const pl_context_t* context);

  /* Reports. */

  /* [any-thread] A line of the attempt's log. */
  void (*log)(const pl_context_t* context, int32_t level, const char* text);
  /* [any-thread] A number worth comparing between runs; the slice may be "". */
  void (*metric)(const pl_context_t* context, const char* name, const char* slice, double value);
  /* [any-thread] A small fact, as JSON text, under a name; a later one of that name replaces it. */
  void (*note)(const pl_context_t* context, const char* key, const char* json);
  /* [any-thread] How far it is; `total` 0: unknown.  It keeps a no-progress timeout away. */
  void (*progress)(const pl_context_t* context, int64_t done, int64_t total);

  /* [any-thread] An extension of the host by its id, "pl.NAME/REVISION"; NULL: unknown. */
  const void* (*get_extension)(const pl_context_t* context, const char* id);
};

/* An extension of the host: what an operator with PL_EFFECT asks the system to do.  Done, or refused
   with the attempt, only after `run` has returned PL_OK; docs/runs.md lists the kinds. */
#define PL_REQUESTS_EXTENSION "pl.requests/1"
typedef struct pl_requests {
  uint32_t struct_size;
  /* [any-thread] `arguments` is a JSON object.  1: taken down; 0: no kind, no JSON object, or more
     than a report can hold. */
  int32_t (*request)(const pl_context_t* context, const char* kind, const char* arguments);
} pl_requests_t;

/* An extension of the host: the secrets that the attempt was handed. */
#define PL_SECRETS_EXTENSION "pl.secrets/1"
typedef struct pl_secrets {
  uint32_t struct_size;
  /* [any-thread] The file that holds the secret of that name; NULL: the attempt was not handed it. */
  const char* (*path)(const pl_context_t* context, const char* name);
} pl_secrets_t;

/* An operator. */
typedef struct pl_operator {
  uint32_t struct_size;
  uint32_t flags;      /* PL_DETERMINISTIC, PL_CACHEABLE, PL_EFFECT, ... */
  const char* id;      /* "data.validate": the stage, a dot, the verb; lower case */
  int64_t behaviour;   /* from 1; raise it when the same inputs would give other outputs, and when a
                          default changes */
  const char* summary; /* one line */
  const char* doc;     /* may be NULL */
  uint32_t input_count;
  uint32_t output_count;
  uint32_t param_count;
  uint32_t library_count;
  const pl_port_t* const* inputs;
  const pl_port_t* const* outputs;
  const pl_param_t* const* params;
  const pl_library_t* const* libraries;
  double cpus;          /* hints for when the step says nothing; 0: one processor, ... */
  int64_t memory_bytes; /* ... no figure */
  /* [worker-main] Does the work; `error` is filled unless it returns PL_OK. */
  int32_t (*run)(const pl_context_t* context, pl_error_t* error);
} pl_operator_t;

/* The entry.  Its first three fields stay where they are in every version. */
typedef struct pl_plugin {
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t struct_size;
  uint32_t operator_count;
  const char* plugin_id;      /* "data"; lower case, digits and '-' */
  const char* plugin_version; /* for people; `behaviour` is what decides reuse */
  const pl_operator_t* const* operators;
  /* [pure] An extension of the plugin by its id; NULL: unknown.  The pointer itself may be NULL. */
  const void* (*get_extension)(const char* id);
  /* [worker-main] Once after loading; anything but PL_OK refuses the plugin.  May be NULL. */
  int32_t (*init)(pl_error_t* error);
  /* [worker-main] Once before the loading process ends in an orderly way.  May be NULL. */
  void (*deinit)(void);
} pl_plugin_t;

/* Define it once in each plugin:  const pl_plugin_t pl_plugin_entry = { ... };  */
extern PL_EXPORT const pl_plugin_t pl_plugin_entry;

#ifdef __cplusplus
}
#endif

#endif
