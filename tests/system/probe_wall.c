/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe_wall: the init of a hostile tenant, for tests/system/containers.bats.
 * What it does stands in /run/europa-node/mode; what came of it is written to
 * /tmp/result, one "name errno" a line (0: it worked), "end" last. Then it waits
 * for ever, so that the test can look around.
 *
 *	walls	tries what a tenant must not be able to do
 *	memory	a child of its takes 256 MiB
 *	forks	forks until that fails
 *	spin	two children that count
 *	fill	writes 3 MB below /var
 *	idle	nothing
 *
 * Statically linked, with raw system calls: what is tested is the kernel's
 * answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/memfd.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static FILE *result;

static void
tell(const char *name, long rc)
{
	fprintf(result, "%s %d\n", name, rc < 0 ? errno : 0);
}

static void
try_open(const char *name, const char *path, int flags)
{
	int fd = open(path, flags, 0600);

	tell(name, fd);
	if (fd >= 0)
		close(fd);
}

static void
tell_no(const char *name, int no)
{
	errno = no;
	tell(name, no ? -1 : 0);
}

#ifdef __x86_64__
/* getpid by the 32-bit entry; the kernel answers with -errno. */
static int
i386_getpid(void)
{
	int rc;

	__asm__ volatile("int $0x80" : "=a"(rc) : "a"(20) : "memory");
	return rc < 0 ? -rc : 0;
}

enum { X32_GETPID = 0x40000000 | 39 };

static void
try_entries(void)
{
	tell_no("i386", i386_getpid());
	tell("x32", syscall(X32_GETPID));
}
#else
static void
try_entries(void)
{
	tell_no("i386", ENOSYS);
	tell_no("x32", ENOSYS);
}
#endif

static void
try_memory_tricks(void)
{
	int fd = (int)syscall(SYS_memfd_create, "probe", 0);
	void *p;

	tell("memfd", fd);
	tell("truncate", ftruncate(fd, 65536));
	tell("punch_hole",
	    syscall(SYS_fallocate, fd,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0L, 4096L));
	p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	tell("mmap", p == MAP_FAILED ? -1 : 0);
	tell("madvise_remove", madvise(p, 4096, MADV_REMOVE));
	/* the kernel takes the lower half of it */
	tell("madvise_wide", syscall(SYS_madvise, p, 4096L, 0x100000009L));
	tell("madvise_dontneed", madvise(p, 4096, MADV_DONTNEED));
	p = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	tell("mmap_hugetlb", p == MAP_FAILED ? -1 : 0);
	tell("memfd_hugetlb", syscall(SYS_memfd_create, "h", MFD_HUGETLB));
	tell("shm_hugetlb", syscall(SYS_shmget, 0, 2 << 20, 04000 | 0600));
	tell("process_madvise",
	    syscall(SYS_process_madvise, -1, NULL, 0L, 0, 0));
}

static void
try_namespaces(void)
{
	tell("unshare_user", unshare(CLONE_NEWUSER));
	tell("clone_user",
	    syscall(SYS_clone, CLONE_NEWUSER | 17UL, NULL, NULL, NULL, 0L));
	tell("clone3", syscall(SYS_clone3, NULL, 0L));
	tell("setns", syscall(SYS_setns, -1, 0));
	tell("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
}

static void
try_calls(void)
{
	tell("io_setup", syscall(SYS_io_setup, 1, NULL));
	tell("io_uring", syscall(SYS_io_uring_setup, 1, NULL));
	tell("bpf", syscall(SYS_bpf, 0, NULL, 0));
	tell("userfaultfd", syscall(SYS_userfaultfd, 0));
	tell("ptrace", syscall(SYS_ptrace, 0, 0, NULL, NULL));
	tell("perf", syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0UL));
	tell("keyctl", syscall(SYS_keyctl, 0, 0, 0, 0, 0));
	tell("mbind", syscall(SYS_mbind, NULL, 0UL, 0, NULL, 0UL, 0));
	tell(
	    "move_pages", syscall(SYS_move_pages, 0, 0UL, NULL, NULL, NULL, 0));
	tell("init_module", syscall(SYS_init_module, NULL, 0UL, ""));
	tell("handle", syscall(SYS_open_by_handle_at, -1, NULL, 0));
}

static void
try_sockets(void)
{
	tell("vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
	tell("alg", socket(AF_ALG, SOCK_SEQPACKET, 0));
	tell("vsock_wide",
	    syscall(SYS_socket, 0x100000000L | AF_VSOCK, SOCK_STREAM, 0));
	tell("inet", socket(AF_INET, SOCK_DGRAM, 0));
	tell("packet", socket(AF_PACKET, SOCK_RAW, 0));
	tell("unix", socket(AF_UNIX, SOCK_STREAM, 0));
	/* what the kernel looks at are 32 bits of each */
	tell("rx_ring", syscall(SYS_setsockopt, -1, SOL_PACKET,
			    0x100000000L | PACKET_RX_RING, NULL, 0UL));
	tell("tx_ring", syscall(SYS_setsockopt, -1, 0x100000000L | SOL_PACKET,
			    PACKET_TX_RING, NULL, 0UL));
	tell(
	    "keepalive", setsockopt(socket(AF_INET, SOCK_STREAM, 0), SOL_SOCKET,
			     SO_KEEPALIVE, &(int){ 1 }, sizeof(int)));
}

static void
try_files(void)
{
	try_open("write_root", "/x", O_CREAT | O_WRONLY);
	try_open("write_etc", "/etc/passwd", O_WRONLY);
	try_open("write_node", "/run/europa-node/x", O_CREAT | O_WRONLY);
	try_open("write_sysrq", "/proc/sysrq-trigger", O_WRONLY);
	try_open("write_sys", "/sys/kernel/mm/transparent_hugepage/enabled",
	    O_WRONLY);
	try_open("write_var", "/var/x", O_CREAT | O_WRONLY);
	try_open("write_run", "/run/x", O_CREAT | O_WRONLY);
	try_open("write_tmp", "/tmp/x", O_CREAT | O_WRONLY);
	tell("mknod", mknod("/tmp/kmsg", S_IFCHR | 0600, makedev(1, 11)));
	tell("become_1", setuid(0));
}

static void
bomb_memory(void)
{
	enum { SIZE = 256 << 20 };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		for (size_t i = 0; p != MAP_FAILED && i < SIZE; i += 4096)
			p[i] = 1;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	fprintf(
	    result, "signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static void
bomb_forks(void)
{
	int n = 0;

	for (;; n++) {
		pid_t pid = fork();

		if (pid == 0)
			for (;;)
				pause();
		if (pid < 0 || n > 100000)
			break;
	}
	tell("fork", -1);
	fprintf(result, "forks %d\n", n);
}

static void
spin(void)
{
	for (int i = 0; i < 2; i++) {
		if (fork() == 0)
			for (;;)
				__asm__ volatile("");
	}
}

static void
fill(void)
{
	static const char block[100000];
	int fd = open("/var/fill", O_CREAT | O_WRONLY, 0600);
	long n = 0;

	for (int i = 0; i < 30; i++)
		n += write(fd, block, sizeof(block));
	fprintf(result, "filled %ld\n", n);
}

int
main(void)
{
	char mode[32] = "";
	int fd = open("/run/europa-node/mode", O_RDONLY);

	if (fd >= 0 && read(fd, mode, sizeof(mode) - 1) > 0)
		mode[strcspn(mode, "\n")] = '\0';
	result = fopen("/tmp/result", "w");
	if (!result)
		return 1;
	if (strcmp(mode, "walls") == 0) {
		try_entries();
		try_memory_tricks();
		try_namespaces();
		try_calls();
		try_sockets();
		try_files();
	} else if (strcmp(mode, "memory") == 0) {
		bomb_memory();
	} else if (strcmp(mode, "forks") == 0) {
		bomb_forks();
	} else if (strcmp(mode, "spin") == 0) {
		spin();
	} else if (strcmp(mode, "fill") == 0) {
		fill();
	}
	fprintf(result, "end\n");
	fclose(result);
	for (;;)
		pause();
}
