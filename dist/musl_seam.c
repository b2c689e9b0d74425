/*
 * Lets the standard library of the gnu target be linked with musl's libc.a.
 *
 * Why: a jar is started by one exec of this binary, and what its C library does before main is paid each time. On a
 * virtual machine that traps CPUID, glibc's start-up (it asks for the processor's features some seventy times) costs about
 * 0.5 ms, musl's nothing. A Rust target for musl would do the same, but has to be installed; musl's libc.a is a
 * package of every distribution.
 *
 * On x86_64 the two libraries share the layout of every structure that the standard library passes; these are the
 * only names it needs that musl lacks.
 */

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

/* The unwinder's fast path; -1 sends it to dl_iterate_phdr, which musl has. */
int _dl_find_object(void *address, void *result);
int _dl_find_object(void *address, void *result)
{
    (void)address;
    (void)result;
    return -1;
}
