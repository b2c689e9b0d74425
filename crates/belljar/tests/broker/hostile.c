// What a hostile program does to a broker. Prints what it got; who started it judges.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static char path[16] = "victim";
static volatile int over;

static void *flip(void *unused) {
    (void)unused;
    // One store of eight bytes: the path is always one of the two.
    unsigned long names[2];
    memcpy(&names[0], "victim\0", 8);
    memcpy(&names[1], "secret\0", 8);
    for (unsigned long i = 0; !over; i++) *(volatile unsigned long *)path = names[i & 1];
    return 0;
}

static int holds(int fd, const char *word) {
    char text[64] = {0};
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    return got > 0 && strstr(text, word) != 0;
}

// Opens under a name that another thread changes. "naive" checks the name itself first, as a bad broker would.
static int race(int naive, double seconds) {
    pthread_t thread;
    struct timespec now, start;
    long allowed = 0, secret = 0;
    pthread_create(&thread, 0, flip, 0);
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        for (int i = 0; i < 200; i++) {
            char seen[16];
            memcpy(seen, path, sizeof seen);
            if (naive && strcmp(seen, "victim") != 0) continue;
            int fd = open(path, O_RDONLY);
            if (fd < 0) continue;
            if (holds(fd, "unharmed")) allowed++; else secret++;
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - start.tv_sec) + (now.tv_nsec - start.tv_nsec) / 1e9 < seconds);
    over = 1;
    pthread_join(thread, 0);
    printf("allowed %d secret %d\n", allowed > 0, secret > 0);
    return 0;
}

static void tick(int unused) { (void)unused; }

// Makes folders while signals come a thousand times a second. Each call must happen once.
static int storm(int count, int restart) {
    struct sigaction action = {.sa_handler = tick, .sa_flags = restart ? SA_RESTART : 0};
    struct itimerval every = {{0, 1000}, {0, 1000}};
    int made = 0, again = 0, other = 0;
    sigaction(SIGALRM, &action, 0);
    setitimer(ITIMER_REAL, &every, 0);
    for (int i = 0; i < count; i++) {
        char name[32];
        sprintf(name, "d%d", i);
        if (mkdir(name, 0700) == 0) made++;
        else if (errno == EINTR) { again++; i--; }
        else other++;
    }
    printf("made %d other %d\n", made, other);
    return 0;
}

// Paths at the ends of what is mapped and of what is allowed.
static int strings(void) {
    char *two = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(two + 4096, 4096);
    char *end = two + 4096;
    struct stat st;
    memcpy(end - 7, "victim", 7);
    printf("fits %d\n", open(end - 7, O_RDONLY) >= 0);
    memcpy(end - 6, "victim", 6);
    int fd = open(end - 6, O_RDONLY);
    printf("runs out %d %d\n", fd, errno);
    printf("unmapped %d %d\n", open(end, O_RDONLY), errno);
    printf("null %d %d\n", open((char *)0, O_RDONLY), errno);
    printf("kernel %d %d\n", open((char *)0xffffffff81000000, O_RDONLY), errno);
    char *big = malloc(3 << 20);
    memset(big, '/', 3 << 20);
    big[(3 << 20) - 1] = 0;
    printf("huge %d %d\n", open(big, O_RDONLY), errno);
    big[4095] = 0;
    printf("longest %d\n", open(big, O_RDONLY | O_DIRECTORY) >= 0);
    memset(big, 0xff, 255);
    strcpy(big + 255, "/x");
    printf("bytes %d %d\n", open(big, O_RDONLY), errno);
    printf("buffer %d %d\n", stat("victim", (struct stat *)end), errno);
    // Whoever writes the answer may do more than the program: never to what it shares with others.
    int file = open("victim", O_RDONLY);
    char *shared = mmap(0, 4096, PROT_READ, MAP_SHARED, file, 0);
    char before = *shared;
    printf("shared %d %d", stat("victim", (struct stat *)shared), errno);
    printf(" %d\n", *shared == before && holds(file, "unharmed"));
    printf("dirty %ld\n", syscall(SYS_openat, 0xdeadbeefffffff9cUL, "victim", 0xf00000000L) >= 0 ? 1L : 0L);
    printf("negative %d %d\n", openat(-5, "victim", O_RDONLY), errno);
    (void)st;
    return 0;
}

static void *exits(void *unused) { (void)unused; for (;;) open("victim", O_RDONLY | O_CLOEXEC); }

// Dies in the middle of its calls, many times over.
static int churn(int count) {
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        if (child == 0) {
            pthread_t thread;
            pthread_create(&thread, 0, exits, 0);
            usleep(300);
            kill(getpid(), SIGKILL);
        }
    }
    sleep(1);
    printf("alive %d\n", open("victim", O_RDONLY) >= 0);
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    if (!strcmp(argv[1], "naive")) return race(1, atof(argv[2]));
    if (!strcmp(argv[1], "race")) return race(0, atof(argv[2]));
    if (!strcmp(argv[1], "storm")) return storm(atoi(argv[2]), 0);
    if (!strcmp(argv[1], "restart")) return storm(atoi(argv[2]), 1);
    if (!strcmp(argv[1], "strings")) return strings();
    if (!strcmp(argv[1], "churn")) return churn(atoi(argv[2]));
    return 2;
}
