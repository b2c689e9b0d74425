/*
 * Lets the standard library of the gnu target be linked with musl's libc.a.
 *
 * Why: a jar is started by one exec of this binary, and what its C library does before main is paid each time. On a
 * virtual machine that traps CPUID, glibc's start-up (it asks for the processor's features some seventy times) costs about
 * 0.5 ms, musl's nothing. A Rust target for musl would do the same, but has to be installed; musl's libc.a is a
 * package of every distribution.
 *
 * On x86_64 the two libraries share the layout of every structure that the standard library passes; these are the
 * only names it and the compiler's unwinder need that musl lacks, and one whose answer is not worth its price.
 */

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where the program begins. Addresses in its data are put right at each start, some forty pages one after the other, and each
 * first write to a page costs a fault. The kernel fills them all in one call; one before Linux 5.14 refuses, and they are filled
 * as they are written to.
 */
__asm__(".text\n"
        ".globl belljar_start\n"
        ".type belljar_start, @function\n"
        "belljar_start:\n"
        "    xor %ebp, %ebp\n"
        "    mov %rsp, %rbx\n"
        "    and $-16, %rsp\n"
        "    call fill_data\n"
        "    mov %rbx, %rsp\n"
        "    jmp _start\n");

#define SYS_MADVISE 28L
#define MADV_POPULATE_WRITE 23L
#define PAGE 4096

/* Addresses as bits, in place of 24 bytes each: some forty pages less to read. */
#define RELR_SIZE 35
#define RELR 36
#define PER_WORD 63

extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

/* Entries with an even value name a place, odd ones say which of the places that follow are addresses, too. */
static void add_base(uintptr_t base, const uint64_t *entry, uint64_t size)
{
    uint64_t *place = NULL, *end = (uint64_t *)((uintptr_t)entry + size), bits;

    for (; entry < end; entry++) {
        if (!(*entry & 1)) {
            place = (uint64_t *)(base + *entry);
            *place++ += base;
            continue;
        }
        uint64_t *next = place;
        for (bits = *entry >> 1; bits != 0; bits >>= 1, next++)
            if (bits & 1)
                *next += base;
        place += PER_WORD;
    }
}

/* A musl before 1.2.4 does not know them; a newer one finds none left. */
static void relocate(uintptr_t base, Elf64_Dyn *dynamic)
{
    const uint64_t *entries = NULL;
    uint64_t size = 0;

    for (; dynamic->d_tag != DT_NULL; dynamic++) {
        if (dynamic->d_tag == RELR)
            entries = (const uint64_t *)(base + dynamic->d_un.d_ptr);
        if (dynamic->d_tag == RELR_SIZE) {
            size = dynamic->d_un.d_val;
            dynamic->d_un.d_val = 0;
        }
    }
    if (entries != NULL)
        add_base(base, entries, size);
}

/* Nothing of the C library works yet, nor does any address in the data. */
static __attribute__((used)) void fill_data(void)
{
    uintptr_t base = (uintptr_t)&__ehdr_start, from = UINTPTR_MAX, to = 0;
    Elf64_Dyn *dynamic = NULL;
    const Elf64_Phdr *part = (const Elf64_Phdr *)(base + __ehdr_start.e_phoff);
    const Elf64_Phdr *end = part + __ehdr_start.e_phnum;
    long done;

    for (; part < end; part++) {
        uintptr_t start = base + part->p_vaddr;
        if (part->p_type == PT_DYNAMIC)
            dynamic = (Elf64_Dyn *)start;
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_W))
            continue;
        if (start < from)
            from = start & -PAGE;
        if (start + part->p_memsz > to)
            to = start + part->p_memsz;
    }
    __asm__ volatile("syscall"
                     : "=a"(done)
                     : "a"(SYS_MADVISE), "D"(from), "S"(to - from), "d"(MADV_POPULATE_WRITE)
                     : "rcx", "r11", "memory");
    (void)done;
    if (dynamic != NULL)
        relocate(base, dynamic);
}

/* Asked before the standard library uses posix_spawn; musl's has what it wants of 2.24 and newer. */
const char *gnu_get_libc_version(void);
const char *gnu_get_libc_version(void)
{
    return "2.36";
}

/* Re-reads resolv.conf after a failed look-up; musl reads it each time. */
int __res_init(void);
int __res_init(void)
{
    return 0;
}

/*
 * Where the main thread's stack ends; the linker is told to put this in the place of musl's, which finds out by one
 * failing system call per page, some thirty at each start. Without an answer the standard library only cannot say
 * that it was a stack overflow it died of.
 */
int __wrap_pthread_getattr_np(unsigned long thread, void *attributes);
int __wrap_pthread_getattr_np(unsigned long thread, void *attributes)
{
    (void)thread;
    (void)attributes;
    return ENOSYS;
}

/*
 * Before main the standard library asks how these two signals are handled, and installs a handler with a stack of its
 * own where nobody else has: eleven system calls for a message that the answer above has made impossible.
 */
int __real_sigaction(int, const struct sigaction *, struct sigaction *);
int __wrap_sigaction(int, const struct sigaction *, struct sigaction *);
int __wrap_sigaction(int number, const struct sigaction *new, struct sigaction *old)
{
    if (new == NULL && old != NULL && (number == SIGSEGV || number == SIGBUS)) {
        *old = (struct sigaction){ .sa_handler = SIG_IGN };
        return 0;
    }
    return __real_sigaction(number, new, old);
}

/*
 * musl copies by one string instruction and compares byte by byte. A start copies and compares a thousand pieces, most of
 * them shorter than that instruction's own start-up. Long pieces are rare here, and still left to it.
 */
#define LONG_PIECE 512

/* Accesses of any address; the compiler makes single moves of them. */
typedef uint64_t word __attribute__((may_alias, aligned(1)));
typedef uint32_t half __attribute__((may_alias, aligned(1)));

/* Up to 16 bytes: everything is read before anything is written. */
static inline void copy_short(unsigned char *to, const unsigned char *from, size_t count)
{
    if (count >= 8) {
        uint64_t first = *(const word *)from, last = *(const word *)(from + count - 8);
        *(word *)to = first;
        *(word *)(to + count - 8) = last;
    } else if (count >= 4) {
        uint32_t first = *(const half *)from, last = *(const half *)(from + count - 4);
        *(half *)to = first;
        *(half *)(to + count - 4) = last;
    } else if (count > 0) {
        unsigned char first = from[0], middle = from[count / 2], last = from[count - 1];
        to[0] = first;
        to[count / 2] = middle;
        to[count - 1] = last;
    }
}

/* More than 16 bytes, from the start: the target lies apart from the source or below it. */
static inline void copy_upwards(unsigned char *to, const unsigned char *from, size_t count)
{
    if (count >= LONG_PIECE) {
        __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
        return;
    }
    for (; count >= 8; count -= 8, to += 8, from += 8)
        *(word *)to = *(const word *)from;
    for (; count > 0; count--)
        *to++ = *from++;
}

void *__wrap_memcpy(void *restrict, const void *restrict, size_t);
void *__wrap_memcpy(void *restrict to, const void *restrict from, size_t count)
{
    if (count <= 16)
        copy_short(to, from, count);
    else
        copy_upwards(to, from, count);
    return to;
}

void *__wrap_memmove(void *, const void *, size_t);
void *__wrap_memmove(void *target, const void *source, size_t count)
{
    unsigned char *to = target;
    const unsigned char *from = source;

    if (count <= 16)
        copy_short(to, from, count);
    else if ((uintptr_t)to - (uintptr_t)from >= count)
        copy_upwards(to, from, count);
    else {
        /* The target lies above: from the end, where what is overwritten has been read. */
        for (; count >= 8; count -= 8)
            *(word *)(to + count - 8) = *(const word *)(from + count - 8);
        while (count-- > 0)
            to[count] = from[count];
    }
    return target;
}

int __wrap_memcmp(const void *, const void *, size_t);
int __wrap_memcmp(const void *first, const void *second, size_t count)
{
    const unsigned char *a = first, *b = second;

    for (; count >= 8 && *(const word *)a == *(const word *)b; count -= 8)
        a += 8, b += 8;
    for (; count > 0; count--, a++, b++)
        if (*a != *b)
            return *a - *b;
    return 0;
}

int __wrap_bcmp(const void *, const void *, size_t);
int __wrap_bcmp(const void *first, const void *second, size_t count)
{
    return __wrap_memcmp(first, second, count);
}

/*
 * The unwinder asks this where an address's unwind table is, and asks nothing else when it exists. The answer has
 * glibc's layout; a static program is one object.
 */
struct found {
    unsigned long long flags;
    void *map_start;
    void *map_end;
    void *link_map;
    void *eh_frame;
    unsigned long long reserved[7];
};

/* The head of what musl's dl_iterate_phdr passes. */
struct object {
    uintptr_t base;
    const char *name;
    const Elf64_Phdr *parts;
    Elf64_Half count;
};

int dl_iterate_phdr(int (*)(struct object *, size_t, void *), void *);

struct search {
    uintptr_t address;
    struct found *found;
};

static int look(struct object *object, size_t size, void *argument)
{
    struct search *search = argument;
    void *table = NULL;
    int is_inside = 0;

    (void)size;
    for (size_t i = 0; i < object->count; i++) {
        const Elf64_Phdr *part = &object->parts[i];
        uintptr_t start = object->base + part->p_vaddr;
        if (part->p_type == PT_GNU_EH_FRAME)
            table = (void *)start;
        if (part->p_type == PT_LOAD && search->address - start < part->p_memsz) {
            search->found->map_start = (void *)start;
            search->found->map_end = (void *)(start + part->p_memsz);
            is_inside = 1;
        }
    }
    search->found->eh_frame = table;
    return is_inside && table != NULL;
}

int _dl_find_object(void *address, struct found *found);
int _dl_find_object(void *address, struct found *found)
{
    struct search search = { (uintptr_t)address, found };

    *found = (struct found){ 0 };
    return dl_iterate_phdr(look, &search) ? 0 : -1;
}
