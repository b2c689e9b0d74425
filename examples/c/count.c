/* Counts the lines of a file that nobody trusts, in a process that has given up everything else: count FILE
 *
 * Once confined it sees the file's folder alone, and after opening the file it can only read what is open and write its answer. */
#include <belljar.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int fail(const char *what) {
    fprintf(stderr, "%s: %s\n%s\n", what, belljar_last_error(), belljar_last_remedy());
    return 1;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    if (belljar_unveil(argv[1], "r") != 0 || belljar_pledge("stdio rpath") != 0) {
        return fail("confining");
    }
    /* Whatever a bug does from here on, it sees nothing else. */
    if (fopen("/etc/passwd", "r") || errno != EACCES) {
        return fail("/etc/passwd can be read");
    }
    FILE *file = fopen(argv[1], "r");
    if (!file) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    if (belljar_pledge("stdio") != 0) {
        return fail("confining");
    }
    long lines = 0;
    for (int byte; (byte = getc(file)) != EOF;) {
        lines += byte == '\n';
    }
    printf("%ld\n", lines);
    return 0;
}
