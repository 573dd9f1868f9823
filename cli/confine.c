/* confine.c - a fault in what reads pictures, models or codes of strangers is no way to programs, the network
 * or other processes: the kernel refuses them (seccomp), to threads that come later, too. libseccomp would
 * write this filter, but crashes or hangs without memory. */
#define _GNU_SOURCE
#include "cli.h"

#if defined __linux__ && (defined __x86_64__ || defined __aarch64__ || defined __s390x__) && \
    !defined CAELUM_SANITIZED /* whose leak checker traces the process */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined __x86_64__
enum { THIS_MACHINE = (int)AUDIT_ARCH_X86_64 };
#elif defined __aarch64__
enum { THIS_MACHINE = (int)AUDIT_ARCH_AARCH64 };
#else
enum { THIS_MACHINE = (int)AUDIT_ARCH_S390X };
#endif

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define END(action) BPF_STMT(BPF_RET | BPF_K, action)
#define REFUSE_IF(compare, value) \
    BPF_JUMP(BPF_JMP | compare | BPF_K, value, 0, 1), END(SECCOMP_RET_ERRNO | EPERM)
#define REFUSE(call) REFUSE_IF(BPF_JEQ, SYS_##call)

void confine(void) {
    static struct sock_filter filter[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)THIS_MACHINE, 1, 0),
        END(SECCOMP_RET_KILL_PROCESS), /* numbers of another machine's calls */
        LOAD(nr),
        REFUSE_IF(BPF_JGE, 0x40000000), /* the same by other numbers: x32 */
#ifdef SYS_socketcall
        REFUSE(socketcall),
#endif
        REFUSE(socket),
        REFUSE(io_uring_setup),
        REFUSE(execve),
        REFUSE(execveat),
        REFUSE(ptrace),
        REFUSE(process_vm_readv),
        REFUSE(process_vm_writev),
        REFUSE(pidfd_getfd),
        END(SECCOMP_RET_ALLOW)};
    const struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
#else
void confine(void) {}
#endif
