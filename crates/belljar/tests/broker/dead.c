// A mount whose server has died in effect: after it was asked for the name "last" it answers nothing. The program that is
// named runs beside it, as the same user, in namespaces that go away with both.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static char request[1 << 18];

static void answer(int fuse, uint64_t unique, int error, const void *body, size_t size) {
    struct fuse_out_header head = {.len = sizeof head + size, .error = -error, .unique = unique};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)body, size}};
    if (writev(fuse, parts, size ? 2 : 1) < 0) perror("an answer");
}

static void serve(int fuse) {
    for (;;) {
        ssize_t size = read(fuse, request, sizeof request);
        if (size < 0 && (errno == EINTR || errno == ENOENT)) continue;
        if (size < (ssize_t)sizeof(struct fuse_in_header)) _exit(0);
        struct fuse_in_header *head = (void *)request;
        const char *name = request + sizeof *head;
        struct fuse_init_out begin = {.major = 7, .minor = 31, .max_write = 4096};
        struct fuse_attr_out root = {.attr_valid = 3600, .attr = {.ino = 1, .mode = S_IFDIR | 0755, .nlink = 2}};
        struct fuse_statfs_out whole = {{0}};
        root.attr.uid = getuid(), root.attr.gid = getgid();
        switch (head->opcode) {
        case FUSE_INIT: answer(fuse, head->unique, 0, &begin, sizeof begin); break;
        case FUSE_GETATTR: answer(fuse, head->unique, 0, &root, sizeof root); break;
        case FUSE_STATFS: answer(fuse, head->unique, 0, &whole, sizeof whole); break;
        case FUSE_FORGET: case FUSE_BATCH_FORGET: case FUSE_INTERRUPT: break;
        case FUSE_LOOKUP:
            answer(fuse, head->unique, ENOENT, 0, 0);
            // A request that it had taken would hold its maker against SIGKILL: what follows is not even read.
            if (!strcmp(name, "last")) for (;;) pause();
            break;
        default: answer(fuse, head->unique, ENOSYS, 0, 0);
        }
    }
}

static void put(const char *file, const char *text) {
    int fd = open(file, O_WRONLY);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) { perror(file); exit(77); }
    close(fd);
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    int user = getuid(), group = getgid();
    char text[100];
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS)) { perror("unshare"); return 77; }
    put("/proc/self/setgroups", "deny");
    snprintf(text, sizeof text, "%d %d 1", user, user), put("/proc/self/uid_map", text);
    snprintf(text, sizeof text, "%d %d 1", group, group), put("/proc/self/gid_map", text);
    int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    snprintf(text, sizeof text, "fd=%d,rootmode=40000,user_id=%d,group_id=%d", fuse, user, group);
    if (fuse < 0 || mount("dead", argv[1], "fuse", MS_NOSUID | MS_NODEV, text)) { perror("fuse"); return 77; }
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(fuse);
    }
    close(fuse);
    execv(argv[2], argv + 2);
    perror(argv[2]);
    return 2;
}
