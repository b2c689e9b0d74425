// Calls that nobody answers, and others beside them. Prints counts; who started it judges.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static atomic_int began, late, opened, failed;
static const char *name;
static int flags;

static void *opens(void *unused) {
    (void)unused;
    began++;
    int fd = open(name, flags);
    if (fd >= 0) opened++;
    else if (errno == ETIMEDOUT) late++;
    else { failed++; fprintf(stderr, "%s: %s\n", name, strerror(errno)); }
    return 0;
}

// Starts `count` opens of one name, then does ordinary work, and says how much of it was done while all others waited.
static void beside(pthread_t *threads, int count) {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], &small, opens, 0)) { puts("no thread"); exit(1); }
    while (began < count) usleep(1000);
    int served = 0;
    for (int i = 0; i < 50; i++) {
        int fd = open("victim", O_RDONLY);
        served += fd >= 0;
        close(fd);
    }
    printf("served %d\n", served);
}

static void finish(pthread_t *threads, int count) {
    for (int i = 0; i < count; i++) pthread_join(threads[i], 0);
    printf("opened %d late %d failed %d\n", opened, late, failed);
}

static void tick(int unused) { (void)unused; }

// A signal while an open waits for a writer that never comes.
static int interrupted(int restart) {
    struct sigaction action = {.sa_handler = tick, .sa_flags = restart ? SA_RESTART : 0};
    struct itimerval once = {{0, 0}, {0, 200000}};
    sigaction(SIGALRM, &action, 0);
    if (mkfifo("f", 0600)) return 2;
    if (restart && fork() == 0) {
        usleep(700000);
        int fd = open("f", O_WRONLY);
        _exit(fd < 0);
    }
    setitimer(ITIMER_REAL, &once, 0);
    int fd = open("f", O_RDONLY);
    printf("%s\n", fd >= 0 ? "opened" : strerror(errno));
    return 0;
}

// Two FIFOs, each end opened while nothing is written: whoever waits for more than the other end waits for ever.
static int pair(void) {
    if (mkfifo("there", 0600) || mkfifo("back", 0600)) return 2;
    if (fork() == 0) {
        int in = open("there", O_RDONLY), out = open("back", O_WRONLY);
        char byte;
        read(in, &byte, 1);
        write(out, "b", 1);
        _exit(0);
    }
    int out = open("there", O_WRONLY), in = open("back", O_RDONLY);
    char byte = 0;
    write(out, "a", 1);
    read(in, &byte, 1);
    printf("%c %d %d\n", byte, fcntl(in, F_GETFL) & O_NONBLOCK, fcntl(out, F_GETFL) & O_NONBLOCK);
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    int count = argc > 2 ? atoi(argv[2]) : 0;
    pthread_t *threads = calloc(count + 1, sizeof *threads);
    if (!strcmp(argv[1], "judged")) {
        name = "slow", flags = O_RDONLY;
        beside(threads, count);
        finish(threads, count);
    } else if (!strcmp(argv[1], "dead")) {
        name = "net/dead", flags = O_RDONLY;
        if (open("net/last", O_RDONLY) >= 0) return 2;
        beside(threads, count);
        printf("meanwhile %d\n", late + opened + failed);
        finish(threads, count);
    } else if (!strcmp(argv[1], "readers")) {
        name = "f", flags = O_RDONLY;
        if (mkfifo("f", 0600)) return 2;
        beside(threads, count);
        int fd = open("f", O_WRONLY);
        finish(threads, count);
        close(fd);
    } else if (!strcmp(argv[1], "writers")) {
        name = "f", flags = O_WRONLY;
        if (mkfifo("f", 0600)) return 2;
        beside(threads, count);
        int fd = open("f", O_RDONLY);
        finish(threads, count);
        close(fd);
    } else if (!strcmp(argv[1], "signal")) return interrupted(0);
    else if (!strcmp(argv[1], "restart")) return interrupted(1);
    else if (!strcmp(argv[1], "pair")) return pair();
    else return 2;
    return 0;
}
