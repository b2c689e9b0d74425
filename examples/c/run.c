/* Runs a program under the strict policy, for at most ten seconds: run PROGRAM [ARGUMENT...] */
#include <belljar.h>
#include <stdio.h>

static int fail(const char *what) {
    fprintf(stderr, "%s: %s\n%s\n", what, belljar_last_error(), belljar_last_remedy());
    return 125;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: %s PROGRAM [ARGUMENT...]\n", argv[0]);
        return 2;
    }
    belljar_policy *policy = belljar_policy_preset("@strict");
    if (!policy) {
        return fail("policy");
    }
    belljar_command *command = belljar_command_new(argv[1], policy);
    belljar_policy_free(policy);
    for (int at = 2; command && at < argc; at++) {
        if (belljar_command_arg(command, argv[at]) != 0) {
            return fail("argument");
        }
    }
    belljar_command_timeout(command, 10000);
    belljar_report *report = belljar_command_run(command);
    belljar_command_free(command);
    if (!report) {
        return fail(argv[1]);
    }
    if (belljar_report_verdict(report) != BELLJAR_VERDICT_EXITED) {
        fprintf(stderr, "%s: %s\n", argv[1], belljar_report_reason(report));
    }
    int status = belljar_report_exit_status(report);
    belljar_report_free(report);
    return status;
}
