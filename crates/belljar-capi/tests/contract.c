/* What belljar.h promises, from a program in C: contract FOLDER. The folder is the caller's own, with a file `words`. */
#define _GNU_SOURCE
#include <belljar.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int checks;

static void check(int holds, const char *what, int line) {
    checks++;
    if (!holds) {
        const char *error = belljar_last_error();
        fprintf(stderr, "line %d: %s does not hold (last error: %s)\n", line, what, error ? error : "none");
        exit(1);
    }
}
#define CHECK(condition) check(!!(condition), #condition, __LINE__)

static int failed_with(const char *words) {
    return belljar_last_error() && strstr(belljar_last_error(), words) && belljar_last_remedy();
}

static void nothing_is_an_error(void) {
    CHECK(!belljar_last_error() && !belljar_last_remedy());
    CHECK(!belljar_policy_preset(NULL) && failed_with("name is NULL"));
    CHECK(!belljar_policy_from_text(NULL) && failed_with("source is NULL"));
    CHECK(!belljar_policy_from_file(NULL) && failed_with("path is NULL"));
    CHECK(!belljar_command_new("true", NULL) && failed_with("policy is NULL"));
    CHECK(belljar_command_arg(NULL, "x") == -1 && failed_with("command is NULL"));
    CHECK(belljar_command_env(NULL, "a", "b") == -1 && belljar_command_current_dir(NULL, "/") == -1);
    CHECK(belljar_command_timeout(NULL, 1) == -1 && belljar_command_stdio(NULL, 0, 0) == -1);
    CHECK(belljar_command_stdio_fd(NULL, 0, 0) == -1 && belljar_command_pass_fd(NULL, "x", 0) == -1);
    CHECK(!belljar_command_spawn(NULL) && !belljar_command_run(NULL) && failed_with("command is NULL"));
    CHECK(belljar_child_pid(NULL) == -1 && belljar_child_take_fd(NULL, 0) == -1 && !belljar_child_wait(NULL));
    CHECK(belljar_child_has_ended(NULL) == -1 && belljar_child_kill(NULL) == -1 && !belljar_child_killer(NULL));
    CHECK(belljar_killer_kill(NULL) == -1 && failed_with("killer is NULL"));
    CHECK(belljar_report_verdict(NULL) == BELLJAR_VERDICT_OTHER && belljar_report_exit_status(NULL) == -1);
    CHECK(belljar_report_signal(NULL) == -1 && !belljar_report_reason(NULL) && !belljar_report_hint(NULL));
    CHECK(!belljar_report_json(NULL) && failed_with("report is NULL"));
    CHECK(belljar_confine(NULL) == -1 && belljar_pledge(NULL) == -1 && belljar_unveil(NULL, "r") == -1);
    belljar_policy_free(NULL);
    belljar_command_free(NULL);
    belljar_child_free(NULL);
    belljar_killer_free(NULL);
    belljar_report_free(NULL);
}

static void mistakes_have_words_and_a_remedy(const belljar_policy *policy) {
    CHECK(!belljar_policy_preset("\xff\xfe") && failed_with("name is not UTF-8"));
    CHECK(!belljar_policy_preset("@nothing") && failed_with("@nothing"));
    CHECK(!belljar_policy_from_text("belljar = 1\n[fs]\n\"/usr\" = \"raed\"\n") && failed_with("raed"));
    CHECK(!belljar_policy_from_file("/no/such/file") && failed_with("/no/such/file"));
    CHECK(!belljar_command_new("\xc3\x28", policy) && failed_with("program is not UTF-8"));
    belljar_command *command = belljar_command_new("/no/such/program", policy);
    CHECK(belljar_command_stdio(command, 3, BELLJAR_STDIO_NULL) == -1 && failed_with("no such standard descriptor"));
    CHECK(belljar_command_stdio(command, 0, 7) == -1 && failed_with("no such source"));
    CHECK(belljar_command_stdio_fd(command, 0, -1) == -1 && failed_with("-1 is not open"));
    CHECK(belljar_command_stdio_fd(command, 0, 9999) == -1 && failed_with("9999 is not open"));
    CHECK(!belljar_command_run(command) && failed_with("/no/such/program"));
    CHECK(strlen(belljar_last_remedy()) > 0);
    belljar_command_free(command);
    CHECK(belljar_pledge("stdio tape") == -1 && failed_with("tape"));
    CHECK(belljar_unveil("/no/such/path", "r") == -1 && belljar_unveil("/", "q") == -1);
}

static belljar_command *shell(const belljar_policy *policy, const char *script) {
    belljar_command *command = belljar_command_new("/bin/sh", policy);
    CHECK(belljar_command_arg(command, "-c") == 0 && belljar_command_arg(command, script) == 0);
    CHECK(belljar_command_current_dir(command, "/") == 0);
    return command;
}

static void read_all(int fd, char *into, size_t size) {
    size_t length = 0;
    for (ssize_t got; (got = read(fd, into + length, size - 1 - length)) > 0;) {
        length += (size_t)got;
    }
    into[length] = 0;
    close(fd);
}

static void a_command_has_descriptors_variables_and_a_report(const belljar_policy *policy, const char *words) {
    char text[256];
    belljar_command *command = shell(policy, "cat; echo $MINE; cat <&$BELLJAR_FD_words; echo err >&2; exit 7");
    int file = open(words, O_RDONLY | O_CLOEXEC);
    CHECK(belljar_command_pass_fd(command, "words", file) == 0);
    close(file);
    CHECK(belljar_command_env(command, "MINE", "m") == 0 && belljar_command_env(command, "LANG", NULL) == 0);
    for (int stream = 0; stream < 3; stream++) {
        CHECK(belljar_command_stdio(command, stream, BELLJAR_STDIO_PIPED) == 0);
    }
    for (int turn = 0; turn < 2; turn++) {
        belljar_child *child = belljar_command_spawn(command);
        CHECK(child && belljar_child_pid(child) > 1);
        int in = belljar_child_take_fd(child, 0), out = belljar_child_take_fd(child, 1);
        CHECK(fcntl(out, F_GETFD) == FD_CLOEXEC && belljar_child_take_fd(child, 1) == -1);
        CHECK(write(in, "in ", 3) == 3 && close(in) == 0);
        read_all(out, text, sizeof text);
        CHECK(strcmp(text, "in m\none\ntwo\n") == 0);
        read_all(belljar_child_take_fd(child, 2), text, sizeof text);
        CHECK(strcmp(text, "err\n") == 0);
        belljar_report *report = belljar_child_wait(child);
        belljar_child_free(child);
        CHECK(belljar_report_verdict(report) == BELLJAR_VERDICT_EXITED && belljar_report_exit_status(report) == 7);
        CHECK(strstr(belljar_report_json(report), "\"kind\":\"exited\",\"code\":7"));
        CHECK(strcmp(belljar_report_reason(report), "") == 0 && belljar_report_signal(report) == 0);
        belljar_report_free(report);
    }
    belljar_command_free(command);
}

/* A process that has closed standard descriptors gets their numbers for what it opens next. */
static int started_without(int closed, const belljar_policy *policy, const char *words) {
    const char *script = "set -e; read one <&$BELLJAR_FD_words; [ $one = one ]; set +e; left=0\n"
                         "[ -e /proc/self/fd/0 ] || left=$((left + 1)); [ -e /proc/self/fd/1 ] || left=$((left + 2))\n"
                         "[ -e /proc/self/fd/2 ] || left=$((left + 4)); exit $((left + 10))";
    for (int fd = 0; fd < 3; fd++) {
        if (closed & 1 << fd) {
            close(fd);
        }
    }
    belljar_command *command = shell(policy, script);
    int file = open(words, O_RDONLY | O_CLOEXEC);
    if (belljar_command_pass_fd(command, "words", file) != 0 || close(file) != 0) {
        return -1;
    }
    int status = belljar_report_exit_status(belljar_command_run(command));
    for (int fd = 0; fd < 3; fd++) {
        if (closed & 1 << fd && fcntl(fd, F_GETFD) != -1) {
            return -1;
        }
    }
    return status;
}

static void closed_descriptors_are_closed_in_the_jar_too(const belljar_policy *policy, const char *words) {
    for (int closed = 0; closed < 8; closed++) {
        int status = 0;
        pid_t process = fork();
        if (process == 0) {
            _exit(started_without(closed, policy, words));
        }
        CHECK(waitpid(process, &status, 0) == process && WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 10 + closed);
    }
}

static void *kill_it(void *killer) {
    return belljar_killer_kill(killer) == 0 ? killer : NULL;
}

static void jars_end(const belljar_policy *policy) {
    belljar_command *command = shell(policy, "sleep 600 & sleep 600");
    belljar_child *child = belljar_command_spawn(command);
    CHECK(child && belljar_child_has_ended(child) == 0);
    belljar_killer *killer = belljar_child_killer(child);
    pthread_t thread;
    void *killed;
    CHECK(pthread_create(&thread, NULL, kill_it, killer) == 0);
    belljar_report *report = belljar_child_wait(child);
    CHECK(pthread_join(thread, &killed) == 0 && killed == killer);
    CHECK(belljar_report_verdict(report) == BELLJAR_VERDICT_SIGNALED && belljar_report_signal(report) == 9);
    CHECK(belljar_child_has_ended(child) == 1 && belljar_child_kill(child) == 0);
    belljar_report_free(report);
    belljar_child_free(child);
    belljar_killer_free(killer);

    CHECK(belljar_command_timeout(command, 100) == 0);
    report = belljar_command_run(command);
    CHECK(belljar_report_verdict(report) == BELLJAR_VERDICT_TIMED_OUT && belljar_report_exit_status(report) == 124);
    CHECK(strlen(belljar_report_reason(report)) > 0);
    belljar_report_free(report);

    CHECK(belljar_command_timeout(command, 600000) == 0);
    child = belljar_command_spawn(command);
    int pid = belljar_child_pid(child);
    belljar_child_free(child);
    CHECK(pid > 1 && kill(pid, 0) == -1);
    belljar_command_free(command);
}

static void *another_thread(void *unused) {
    (void)unused;
    return belljar_last_error() ? NULL : (void *)"none";
}

/* In a process of its own, since there is no way back. */
static void a_process_confines_itself(const char *words) {
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(belljar_unveil(words, "r") == 0 && belljar_pledge("stdio rpath") == 0);
        CHECK(open(words, O_RDONLY) >= 0 && open("/etc/passwd", O_RDONLY) == -1);
        CHECK(belljar_pledge("stdio rpath wpath") == -1 && failed_with("wpath"));
        CHECK(belljar_unveil("/", "r") == -1 && belljar_unveil_lock() == -1);
        CHECK(belljar_pledge("stdio") == 0);
        open(words, O_RDONLY);
        _exit(0);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == 31);
}

int main(int argc, char **argv) {
    char words[4096], text[8192];
    pthread_t thread;
    void *said;
    CHECK(argc == 2);
    snprintf(words, sizeof words, "%s/words", argv[1]);
    nothing_is_an_error();
    CHECK(pthread_create(&thread, NULL, another_thread, NULL) == 0 && pthread_join(thread, &said) == 0 && said);
    CHECK(strlen(belljar_version()) >= 5);
    snprintf(text, sizeof text, "belljar = 1\nextends = [\"@strict\"]\n[fs]\n\"%s\" = \"read\"\n", argv[1]);
    belljar_policy *policy = belljar_policy_from_text(text);
    CHECK(policy);
    mistakes_have_words_and_a_remedy(policy);
    a_process_confines_itself(words);
    a_command_has_descriptors_variables_and_a_report(policy, words);
    closed_descriptors_are_closed_in_the_jar_too(policy, words);
    jars_end(policy);
    belljar_policy_free(policy);
    printf("%d checks\n", checks);
    return 0;
}
