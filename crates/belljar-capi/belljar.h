/* Belljar for programs in C. Written by `cargo xtask generate header`; docs/c-api.md is the guide.
 *
 * Texts are NUL-terminated UTF-8. A function that fails returns NULL or -1 and leaves what went wrong, and what to do about it, for
 * the calling thread: belljar_last_error, belljar_last_remedy. NULL for a handle or a text is such a failure, never a crash.
 *
 * Handles are freed once, by the function named after them. One command or child is used by one thread at a time; policies, reports
 * and killers by any number. No function uses a signal, changes the environment or keeps state between handles, but for
 * belljar_confine, belljar_pledge and belljar_unveil, which are about the process itself.
 */

#ifndef BELLJAR_H
#define BELLJAR_H

#include <stdint.h>

// How a run ended.
typedef enum belljar_verdict {
  // The program ended by itself; belljar_report_exit_status is its own.
  BELLJAR_VERDICT_EXITED = 0,
  // A signal ended the program; belljar_report_signal tells which.
  BELLJAR_VERDICT_SIGNALED = 1,
  // The time limit was reached.
  BELLJAR_VERDICT_TIMED_OUT = 2,
  // Another limit was reached; the reason names it.
  BELLJAR_VERDICT_LIMIT_HIT = 3,
  // The system call filter ended the program.
  BELLJAR_VERDICT_VIOLATION = 4,
  // Something else; the reason tells what.
  BELLJAR_VERDICT_OTHER = 5,
} belljar_verdict;

// Where a standard descriptor of the program comes from.
typedef enum belljar_stdio {
  // The caller's own.
  BELLJAR_STDIO_INHERIT = 0,
  // Nothing to read, and writes vanish.
  BELLJAR_STDIO_NULL = 1,
  // A pipe; belljar_child_take_fd gives the other end.
  BELLJAR_STDIO_PIPED = 2,
} belljar_stdio;

// A running jar. Any thread may use it, one at a time; belljar_killer ends it from another. Freeing it ends the jar.
typedef struct belljar_child belljar_child;

// A program to run under a policy. Any thread may use it, one at a time; one command starts any number of jars.
typedef struct belljar_command belljar_command;

// Ends a jar, from any number of threads at the same time, also while one waits for it. It keeps nothing of the jar alive.
typedef struct belljar_killer belljar_killer;

// What a jar may do. It never changes; any number of threads may use one at the same time.
typedef struct belljar_policy belljar_policy;

// What happened. It never changes; any number of threads may use one at the same time.
typedef struct belljar_report belljar_report;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Pid of the jar's first process on this host, or -1.
int belljar_child_pid(const struct belljar_child *child);

// The caller's end of a pipe asked for by BELLJAR_STDIO_PIPED, close-on-exec, once: the caller closes it. -1 on failure.
int belljar_child_take_fd(struct belljar_child *child,
                          int stream);

// Waits for the end, after closing a standard input that was not taken. Nothing of the jar lives when this returns. NULL on failure.
struct belljar_report *belljar_child_wait(struct belljar_child *child);

// Whether the jar has ended: 1 or 0, or -1 on failure. After 1, belljar_child_wait does not wait.
int belljar_child_has_ended(struct belljar_child *child);

// Ends every process of the jar; none lives when this returns. 0, or -1 on failure.
int belljar_child_kill(struct belljar_child *child);

// Something that ends the jar from other threads. NULL on failure.
struct belljar_killer *belljar_child_killer(const struct belljar_child *child);

// Ends every process of the jar; none lives when this returns. Nothing happens when it has ended. 0, or -1 on failure.
int belljar_killer_kill(const struct belljar_killer *killer);

// Frees a killer; NULL is nothing.
void belljar_killer_free(struct belljar_killer *killer);

// Ends the jar, if it lives, and frees the child; NULL is nothing.
void belljar_child_free(struct belljar_child *child);

// A command under this policy. Without a word more it has the caller's standard descriptors, no arguments, and of the caller's
// variables those that the policy names.
struct belljar_command *belljar_command_new(const char *program,
                                            const struct belljar_policy *policy);

// Adds an argument. 0, or -1 on failure.
int belljar_command_arg(struct belljar_command *command, const char *arg);

// Sets a variable of the program, whatever the policy says about the caller's; with NULL for a value, keeps it away. 0, or -1 on
// failure.
int belljar_command_env(struct belljar_command *command,
                        const char *name,
                        const char *value);

// Folder that the program starts in, where the jar has it. 0, or -1 on failure.
int belljar_command_current_dir(struct belljar_command *command, const char *folder);

// Wall-clock limit in milliseconds; the whole tree is ended when it is reached. 0, or -1 on failure.
int belljar_command_timeout(struct belljar_command *command, uint64_t milliseconds);

// Where standard descriptor `stream` (0, 1 or 2) comes from: a value of belljar_stdio. 0, or -1 on failure.
int belljar_command_stdio(struct belljar_command *command, int stream, int from);

// Makes a copy of descriptor `fd` standard descriptor `stream` (0, 1 or 2). The caller keeps its own. 0, or -1 on failure.
int belljar_command_stdio_fd(struct belljar_command *command,
                             int stream,
                             int fd);

// Gives the program a copy of descriptor `fd` by name, for what it was opened for: its number stands in the program's variable
// BELLJAR_FD_NAME. 0, or -1 on failure.
int belljar_command_pass_fd(struct belljar_command *command,
                            const char *name,
                            int fd);

// Starts the program; returns once its exec has succeeded. NULL on failure: nothing of the jar is left then.
struct belljar_child *belljar_command_spawn(struct belljar_command *command);

// Runs the program to its end. NULL on failure: it did not start, or could not be attended.
struct belljar_report *belljar_command_run(struct belljar_command *command);

// Frees a command; NULL is nothing. Its children live on.
void belljar_command_free(struct belljar_command *command);

// Puts the calling process, and whatever it starts, under a policy. It must have one thread and must not be root. After a failure
// the process may be confined by half and should end. 0, or -1 on failure.
int belljar_confine(const struct belljar_policy *policy);

// Promises that this process, all its threads, and whatever it starts do no more than these words say: OpenBSD's pledge, see
// docs/promises.md. Any other system call ends the process by SIGSYS. Later calls can only promise less. 0, or -1 on failure.
int belljar_pledge(const char *promises);

// Keeps a path visible: r reads and lists, w writes, x executes, c creates and removes, below it too. Nothing is hidden before
// belljar_unveil_lock, or a belljar_pledge without the word unveil. 0, or -1 on failure.
int belljar_unveil(const char *path,
                   const char *permissions);

// Hides every path that is not unveiled, for good. 0, or -1 on failure.
int belljar_unveil_lock(void);

// What went wrong in the last function that failed in this thread, in words; NULL when none has. It stays until the next one
// fails in this thread.
const char *belljar_last_error(void);

// What to do about it; empty when nothing is known, NULL when nothing has failed. It stays as long as belljar_last_error's.
const char *belljar_last_remedy(void);

// The library's version, such as "0.1.0". It is never freed.
const char *belljar_version(void);

// Pid of the jar's first process on this host, or -1.
int belljar_child_pid(const struct belljar_child *child);

// The caller's end of a pipe asked for by BELLJAR_STDIO_PIPED, close-on-exec, once: the caller closes it. -1 on failure.
int belljar_child_take_fd(struct belljar_child *child,
                          int stream);

// Waits for the end, after closing a standard input that was not taken. Nothing of the jar lives when this returns. NULL on failure.
struct belljar_report *belljar_child_wait(struct belljar_child *child);

// Whether the jar has ended: 1 or 0, or -1 on failure. After 1, belljar_child_wait does not wait.
int belljar_child_has_ended(struct belljar_child *child);

// Ends every process of the jar; none lives when this returns. 0, or -1 on failure.
int belljar_child_kill(struct belljar_child *child);

// Something that ends the jar from other threads. NULL on failure.
struct belljar_killer *belljar_child_killer(const struct belljar_child *child);

// Ends every process of the jar; none lives when this returns. Nothing happens when it has ended. 0, or -1 on failure.
int belljar_killer_kill(const struct belljar_killer *killer);

// Frees a killer; NULL is nothing.
void belljar_killer_free(struct belljar_killer *killer);

// Ends the jar, if it lives, and frees the child; NULL is nothing.
void belljar_child_free(struct belljar_child *child);

// A command under this policy. Without a word more it has the caller's standard descriptors, no arguments, and of the caller's
// variables those that the policy names.
struct belljar_command *belljar_command_new(const char *program,
                                            const struct belljar_policy *policy);

// Adds an argument. 0, or -1 on failure.
int belljar_command_arg(struct belljar_command *command, const char *arg);

// Sets a variable of the program, whatever the policy says about the caller's; with NULL for a value, keeps it away. 0, or -1 on
// failure.
int belljar_command_env(struct belljar_command *command,
                        const char *name,
                        const char *value);

// Folder that the program starts in, where the jar has it. 0, or -1 on failure.
int belljar_command_current_dir(struct belljar_command *command, const char *folder);

// Wall-clock limit in milliseconds; the whole tree is ended when it is reached. 0, or -1 on failure.
int belljar_command_timeout(struct belljar_command *command, uint64_t milliseconds);

// Where standard descriptor `stream` (0, 1 or 2) comes from: a value of belljar_stdio. 0, or -1 on failure.
int belljar_command_stdio(struct belljar_command *command, int stream, int from);

// Makes a copy of descriptor `fd` standard descriptor `stream` (0, 1 or 2). The caller keeps its own. 0, or -1 on failure.
int belljar_command_stdio_fd(struct belljar_command *command,
                             int stream,
                             int fd);

// Gives the program a copy of descriptor `fd` by name, for what it was opened for: its number stands in the program's variable
// BELLJAR_FD_NAME. 0, or -1 on failure.
int belljar_command_pass_fd(struct belljar_command *command,
                            const char *name,
                            int fd);

// Starts the program; returns once its exec has succeeded. NULL on failure: nothing of the jar is left then.
struct belljar_child *belljar_command_spawn(struct belljar_command *command);

// Runs the program to its end. NULL on failure: it did not start, or could not be attended.
struct belljar_report *belljar_command_run(struct belljar_command *command);

// Frees a command; NULL is nothing. Its children live on.
void belljar_command_free(struct belljar_command *command);

// Puts the calling process, and whatever it starts, under a policy. It must have one thread and must not be root. After a failure
// the process may be confined by half and should end. 0, or -1 on failure.
int belljar_confine(const struct belljar_policy *policy);

// Promises that this process, all its threads, and whatever it starts do no more than these words say: OpenBSD's pledge, see
// docs/promises.md. Any other system call ends the process by SIGSYS. Later calls can only promise less. 0, or -1 on failure.
int belljar_pledge(const char *promises);

// Keeps a path visible: r reads and lists, w writes, x executes, c creates and removes, below it too. Nothing is hidden before
// belljar_unveil_lock, or a belljar_pledge without the word unveil. 0, or -1 on failure.
int belljar_unveil(const char *path,
                   const char *permissions);

// Hides every path that is not unveiled, for good. 0, or -1 on failure.
int belljar_unveil_lock(void);

// What went wrong in the last function that failed in this thread, in words; NULL when none has. It stays until the next one
// fails in this thread.
const char *belljar_last_error(void);

// What to do about it; empty when nothing is known, NULL when nothing has failed. It stays as long as belljar_last_error's.
const char *belljar_last_remedy(void);

// The library's version, such as "0.1.0". It is never freed.
const char *belljar_version(void);

// A preset by its name, such as "@strict".
struct belljar_policy *belljar_policy_preset(const char *name);

// A policy from text, TOML or JSON. Relative paths count from the current folder; `extends` and the like are read from files.
struct belljar_policy *belljar_policy_from_text(const char *source);

// A policy from a file.
struct belljar_policy *belljar_policy_from_file(const char *path);

// Frees a policy; NULL is nothing. Commands made with it keep what it said.
void belljar_policy_free(struct belljar_policy *policy);

// How the run ended.
enum belljar_verdict belljar_report_verdict(const struct belljar_report *report);

// The exit status that the command belljar would end with: the program's own, or 128 and its signal, or 124 for time. -1 for NULL.
int belljar_report_exit_status(const struct belljar_report *report);

// The signal that ended the program, or 0. -1 for NULL.
int belljar_report_signal(const struct belljar_report *report);

// One sentence about the verdict; empty when the program ended by itself. It lives as long as the report. NULL for NULL.
const char *belljar_report_reason(const struct belljar_report *report);

// What to do about it; empty when nothing. It lives as long as the report. NULL for NULL.
const char *belljar_report_hint(const struct belljar_report *report);

// The whole report as JSON, as docs/report.schema.json describes it. It lives as long as the report. NULL for NULL.
const char *belljar_report_json(const struct belljar_report *report);

// Frees a report; NULL is nothing.
void belljar_report_free(struct belljar_report *report);

// A preset by its name, such as "@strict".
struct belljar_policy *belljar_policy_preset(const char *name);

// A policy from text, TOML or JSON. Relative paths count from the current folder; `extends` and the like are read from files.
struct belljar_policy *belljar_policy_from_text(const char *source);

// A policy from a file.
struct belljar_policy *belljar_policy_from_file(const char *path);

// Frees a policy; NULL is nothing. Commands made with it keep what it said.
void belljar_policy_free(struct belljar_policy *policy);

// How the run ended.
enum belljar_verdict belljar_report_verdict(const struct belljar_report *report);

// The exit status that the command belljar would end with: the program's own, or 128 and its signal, or 124 for time. -1 for NULL.
int belljar_report_exit_status(const struct belljar_report *report);

// The signal that ended the program, or 0. -1 for NULL.
int belljar_report_signal(const struct belljar_report *report);

// One sentence about the verdict; empty when the program ended by itself. It lives as long as the report. NULL for NULL.
const char *belljar_report_reason(const struct belljar_report *report);

// What to do about it; empty when nothing. It lives as long as the report. NULL for NULL.
const char *belljar_report_hint(const struct belljar_report *report);

// The whole report as JSON, as docs/report.schema.json describes it. It lives as long as the report. NULL for NULL.
const char *belljar_report_json(const struct belljar_report *report);

// Frees a report; NULL is nothing.
void belljar_report_free(struct belljar_report *report);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* BELLJAR_H */
