// Looks a name up as resolvers do that receive with recvmsg: answers of senders that were not asked are dropped.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};
static union address servers[3];
static int known, family = AF_INET;
static socklen_t length = sizeof(struct sockaddr_in);

static void read_servers(void) {
    FILE *file = fopen("/etc/resolv.conf", "r");
    char line[256], word[200];
    struct in6_addr v6;
    while (file && fgets(line, sizeof line, file) && known < 3) {
        if (sscanf(line, "nameserver %199s", word) != 1) continue;
        if (inet_pton(AF_INET, word, &servers[known].v4.sin_addr) == 1) {
            servers[known].v4.sin_family = AF_INET;
        } else if (inet_pton(AF_INET6, word, &v6) == 1) {
            servers[known].v6.sin6_family = family = AF_INET6;
            servers[known].v6.sin6_addr = v6;
            length = sizeof(struct sockaddr_in6);
        } else {
            continue;
        }
        known++;
    }
    for (int at = 0; at < known; at++) {
        struct in_addr v4 = servers[at].v4.sin_addr;
        if (family == AF_INET6 && servers[at].any.sa_family == AF_INET) {
            servers[at] = (union address){.v6 = {.sin6_family = AF_INET6}};
            memcpy(servers[at].v6.sin6_addr.s6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
            memcpy(servers[at].v6.sin6_addr.s6_addr + 12, &v4, 4);
        }
        // Both families have the port at the same place.
        servers[at].v4.sin_port = htons(53);
    }
}

static int query(char *into, const char *name) {
    memcpy(into, "\0\7\1\0\0\1\0\0\0\0\0\0", 12);
    char *at = into + 12;
    while (*name) {
        size_t label = strcspn(name, ".");
        *at++ = (char)label;
        memcpy(at, name, label);
        at += label;
        name += label + (name[label] == '.');
    }
    memcpy(at, "\0\0\1\0\1", 5);
    return (int)(at + 5 - into);
}

static int was_asked(const union address *sender) {
    for (int at = 0; at < known; at++)
        if (!memcmp(servers + at, sender, length)) return 1;
    return 0;
}

static int asked(const char *name) {
    char words[300];
    union address own = {.any.sa_family = (sa_family_t)family};
    int s = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0 || bind(s, &own.any, length)) return -1;
    for (int at = 0; at < known; at++) sendto(s, words, query(words, name), MSG_NOSIGNAL, &servers[at].any, length);
    return s;
}

static int ready(int s) {
    struct pollfd wait = {s, POLLIN, 0};
    return poll(&wait, 1, 2000) == 1;
}

// In three pieces, so that the answer lies in all of them.
static void look_up(const char *name, int many) {
    static char answer[512];
    struct iovec pieces[] = {{answer, 2}, {answer + 2, 10}, {answer + 12, 500}};
    int s = asked(name);
    if (s < 0) { printf("no socket\n"); return; }
    while (ready(s)) {
        union address sender;
        memset(&sender, 0, sizeof sender);
        struct mmsghdr all[2] = {{.msg_hdr = {&sender, length, pieces, 3, answer, 9, 0x77}}, {.msg_len = 7}};
        ssize_t got = many ? recvmmsg(s, all, 2, 0, 0) : recvmsg(s, &all[0].msg_hdr, 0);
        if (got < 0) break;
        if (many) got = all[0].msg_len;
        if (!was_asked(&sender)) continue;
        const struct msghdr *head = &all[0].msg_hdr;
        printf("code %d, answers %d, sender of %d bytes, control of %d, flags %x, whole %d\n", answer[3] & 15, answer[7],
               (int)head->msg_namelen - (int)length, (int)head->msg_controllen, head->msg_flags, got > 12);
        close(s);
        return;
    }
    printf("nobody answers\n");
    close(s);
}

static const char *said(ssize_t got) {
    static char text[64];
    if (got < 0) return strerrorname_np(errno);
    snprintf(text, sizeof text, "%zd", got);
    return text;
}

// What a head may hold that is none.
static void hostile(void) {
    static struct iovec many[1025];
    char room[512];
    union address sender;
    char *none = (char *)8;
    char *edge = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(edge + 4096, 4096);
    struct iovec good = {room, sizeof room}, bad = {none, 512}, wrong = {room, (size_t)-1}, little = {room, 5};
    struct { const char *what; struct msghdr *head, of; int flags; } cases[] = {
        {"no head", (void *)none, {0}, 0},
        {"a head at the edge", (void *)(edge + 4096 - 40), {0}, 0},
        {"no pieces", 0, {.msg_iov = (void *)none, .msg_iovlen = 1}, 0},
        {"too many pieces", 0, {.msg_iov = many, .msg_iovlen = 1025}, 0},
        {"very many pieces", 0, {.msg_iov = many, .msg_iovlen = (size_t)1 << 60}, 0},
        {"a piece too long", 0, {.msg_iov = &wrong, .msg_iovlen = 1}, 0},
        {"a piece nowhere", 0, {.msg_iov = &bad, .msg_iovlen = 1}, 0},
        {"a sender nowhere", 0, {none, 16, &good, 1, 0, 0, 0}, 0},
        {"room of less than none", 0, {&sender, (socklen_t)-1, &good, 1, 0, 0, 0}, 0},
        {"errors", 0, {.msg_iov = &good, .msg_iovlen = 1}, MSG_ERRQUEUE},
        {"too little room", 0, {.msg_iov = &little, .msg_iovlen = 1}, 0},
        {"too little room, asked", 0, {.msg_iov = &little, .msg_iovlen = 1}, MSG_TRUNC},
        {"no room", 0, {.msg_iov = many, .msg_iovlen = 1024}, 0},
    };
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        int s = asked("a.example");
        ready(s);
        struct msghdr *head = cases[at].head ? cases[at].head : &cases[at].of;
        const char *got = said(recvmsg(s, head, cases[at].flags));
        printf("%s: %s, flags %x\n", cases[at].what, got, cases[at].of.msg_flags);
        close(s);
    }
    int s = asked("a.example");
    printf("none of many: %s\n", said(recvmmsg(s, (void *)none, 0, 0, 0)));
    printf("nothing open: %s\n", said(recvmsg(999, &(struct msghdr){0}, 0)));
    printf("no socket: %s\n", said(recvmsg(0, &(struct msghdr){0}, 0)));
}

static volatile int over;
static struct msghdr *volatile raced;
static struct iovec *volatile piece;

static void *change(void *room) {
    for (size_t turn = 0; !over; turn++) {
        piece->iov_base = turn & 1 ? room : (void *)8;
        raced->msg_iovlen = turn & 2 ? 1 : (size_t)1 << 40;
        raced->msg_namelen = turn & 4 ? 16 : (socklen_t)-1;
        raced->msg_iov = turn & 8 ? piece : (void *)8;
    }
    return 0;
}

// A head that changes while it is read: each call ends as some head would have.
static void race(void) {
    static char room[512], sender[28];
    static struct iovec only = {room, 512};
    static struct msghdr head = {sender, 16, &only, 1, 0, 0, 0};
    pthread_t other;
    raced = &head;
    piece = &only;
    pthread_create(&other, 0, change, room);
    int odd = 0;
    for (int turn = 0; turn < 300; turn++) {
        int s = asked("a.example");
        ready(s);
        ssize_t got = recvmsg(s, &head, 0);
        odd += got < 0 && errno != EFAULT && errno != EMSGSIZE && errno != EINVAL;
        close(s);
    }
    over = 1;
    pthread_join(other, 0);
    printf("odd ends %d\n", odd);
}

int main(int count, char **words) {
    setvbuf(stdout, 0, _IOLBF, 0);
    read_servers();
    if (!known) { printf("no name server\n"); return 0; }
    if (count == 2 && !strcmp(words[1], "hostile")) {
        hostile();
        race();
        look_up("a.example", 0);
        return 0;
    }
    for (int at = 1; at < count; at++) {
        look_up(words[at], 0);
        look_up(words[at], 1);
    }
}
