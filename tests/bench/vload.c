/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vload: the source of packets for forwarders on veth ports, and what counts
 * them behind the forwarder. Frames are born in the kernel, BPF_PROG_TEST_RUN
 * with live frames: half of what a packet socket costs, so that one core can
 * offer more than any forwarder here takes.
 *
 *	vload KEY=VALUE...
 *	  src=NETNS:IF    where frames are sent from
 *	  how=pass        they appear as received by IF (any driver but AF_XDP)
 *	  how=redirect    they leave by IF, its peer receives them
 *	  sink=NETNS:IF   whose received packets are counted
 *	  dst=MAC         destination of all frames; give one that no host has
 *	  pps=N           offered load, 0 = as fast as the source can
 *	  every=US        frames leave in bursts, one every so many microseconds
 *	  macs=N          the last byte of the destination grows by 0..N-1, at
 *	                  random; N is a power of two
 *	  core=N size=BYTES warm=MS window=MS
 *	  window=0        until a signal
 *
 * The frames are UDP to random hosts of 198.19.0.0/16. The program in the
 * kernel writes 16 bits of the destination and their complement into the IP
 * identification: the checksum stays right. Prints one JSON object. busy_ns is
 * what all cores were not idle, source and sink and kernel included.
 */
#include "tests/bench/bench.h"
#include "tests/bench/packet.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum {
	MAX_BYTES = 1514,
	BATCH = 64,
	FAST_CHUNK = 16384,     /* frames of a call at full speed */
	HEAD_WORDS = 11,        /* of a datagram: 42 bytes, and 2 */
	AT_MAC = 5,             /* the last byte of it */
	AT_DST = BENCH_IP + 18, /* the low half of the destination */
	AT_ID = BENCH_IP + 4,
};

struct load {
	char src[64], sink[64];
	const char *src_if, *sink_if;
	bool redirect;
	uint8_t dst[6];
	uint64_t pps;
	unsigned core, size, warm_ms, window_ms, every_us, macs;
	int prog;
	uint32_t ifindex;
	uint8_t frame[MAX_BYTES];
	_Atomic(uint64_t) sent;
	_Atomic(bool) stop;
};

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("vload: ", stderr);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

/* --- arguments -------------------------------------------------------------- */

/* Cuts NETNS:IF in two. */
static const char *
take_place(char *to, size_t size, const char *value)
{
	char *colon;

	snprintf(to, size, "%s", value);
	colon = strchr(to, ':');
	if (!colon)
		die("%s: want NETNS:INTERFACE", value);
	*colon = '\0';
	return colon + 1;
}

static void
take(struct load *l, const char *key, const char *value)
{
	if (strcmp(key, "src") == 0)
		l->src_if = take_place(l->src, sizeof(l->src), value);
	else if (strcmp(key, "sink") == 0)
		l->sink_if = take_place(l->sink, sizeof(l->sink), value);
	else if (strcmp(key, "how") == 0)
		l->redirect = strcmp(value, "redirect") == 0;
	else if (strcmp(key, "dst") == 0)
		bench_mac(value, l->dst);
	else if (strcmp(key, "pps") == 0)
		l->pps = strtoull(value, NULL, 10);
	else if (strcmp(key, "core") == 0)
		l->core = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(key, "size") == 0)
		l->size = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(key, "every") == 0)
		l->every_us = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(key, "macs") == 0)
		l->macs = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(key, "warm") == 0)
		l->warm_ms = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(key, "window") == 0)
		l->window_ms = (unsigned)strtoul(value, NULL, 10);
	else
		die("%s: unknown", key);
}

static void
read_arguments(struct load *l, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (!value)
			die("%s: want KEY=VALUE", argv[i]);
		*value++ = '\0';
		take(l, argv[i], value);
	}
	if (!l->src_if || !l->sink_if)
		die("src and sink are needed");
	if (l->size < BENCH_FRAME_BYTES || l->size > MAX_BYTES)
		die("size: %d to %d", BENCH_FRAME_BYTES, MAX_BYTES);
}

/* --- the kernel's part ------------------------------------------------------- */

static long
bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* A namespace belongs to the thread that enters it. */
static void
enter(const char *netns)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, 0) < 0)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

#define INSN(c, d, s, o, i)                       \
	((struct bpf_insn){ .code = (uint8_t)(c), \
	    .dst_reg = (d)&15,                    \
	    .src_reg = (s)&15,                    \
	    .off = (int16_t)(o),                  \
	    .imm = (int32_t)(i) })

/*
 * A page that comes back holds what the forwarder has made of the frame, so the
 * program writes the headers anew, word by word, then what varies.
 */
static unsigned
make_program(const struct load *l, struct bpf_insn *code)
{
	unsigned n = 0;

	/* r6 = data; frames are never shorter than a datagram */
	code[n++] = INSN(BPF_LDX | BPF_W | BPF_MEM, 6, 1, 0, 0);
	code[n++] = INSN(BPF_LDX | BPF_W | BPF_MEM, 7, 1, 4, 0);
	code[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_X, 8, 6, 0, 0);
	code[n++] =
	    INSN(BPF_ALU64 | BPF_ADD | BPF_K, 8, 0, 0, BENCH_FRAME_BYTES);
	code[n++] = INSN(BPF_JMP | BPF_JGT | BPF_X, 8, 7, HEAD_WORDS + 10, 0);
	for (unsigned i = 0; i < HEAD_WORDS; i++) {
		uint32_t word;

		memcpy(&word, l->frame + 4 * i, sizeof(word));
		code[n++] = INSN(BPF_ST | BPF_W | BPF_MEM, 6, 0, 4 * i, word);
	}
	code[n++] = INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_prandom_u32);
	code[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_X, 8, 0, 0, 0);
	code[n++] = INSN(BPF_ALU64 | BPF_RSH | BPF_K, 8, 0, 0, 16);
	code[n++] = INSN(BPF_ALU64 | BPF_AND | BPF_K, 8, 0, 0, l->macs - 1);
	code[n++] =
	    INSN(BPF_ALU64 | BPF_ADD | BPF_K, 8, 0, 0, l->frame[AT_MAC]);
	code[n++] = INSN(BPF_STX | BPF_B | BPF_MEM, 6, 8, AT_MAC, 0);
	code[n++] = INSN(BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, 0xffff);
	code[n++] = INSN(BPF_STX | BPF_H | BPF_MEM, 6, 0, AT_DST, 0);
	code[n++] = INSN(BPF_ALU64 | BPF_XOR | BPF_K, 0, 0, 0, 0xffff);
	code[n++] = INSN(BPF_STX | BPF_H | BPF_MEM, 6, 0, AT_ID, 0);
	/* return how == pass ? XDP_PASS : bpf_redirect(ifindex, 0) */
	code[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_PASS);
	if (l->redirect) {
		code[n++] =
		    INSN(BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, l->ifindex);
		code[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 0);
		code[n++] =
		    INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect);
	}
	code[n++] = INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return n;
}

static int
load_program(const struct load *l)
{
	static char log[4096];
	struct bpf_insn code[64];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (uint64_t)(uintptr_t)code,
		.insn_cnt = make_program(l, code),
		.license = (uint64_t)(uintptr_t) "Apache-2.0",
		.log_buf = (uint64_t)(uintptr_t)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};
	int fd = (int)bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0)
		die("the kernel refuses the program: %s\n%s", strerror(errno),
		    log);
	return fd;
}

/*
 * A program that no device has is put into the kernel's dispatcher for each
 * call and taken out again, with a grace period of 10 ms. So it gets one, a
 * loopback, where nothing passes.
 */
static void
keep_program(const struct load *l)
{
	enum { LOOPBACK = 1 };
	union bpf_attr attr = { .link_create = {
				    .prog_fd = (uint32_t)l->prog,
				    .target_ifindex = LOOPBACK,
				    .attach_type = BPF_XDP,
				    .flags = XDP_FLAGS_SKB_MODE,
				} };

	if (bpf(BPF_LINK_CREATE, &attr) < 0)
		die("the program cannot be attached: %s", strerror(errno));
}

static void
send_chunk(struct load *l, uint32_t n)
{
	struct xdp_md ctx = {
		.data_end = l->size,
		.ingress_ifindex = l->redirect ? 0 : l->ifindex,
	};
	union bpf_attr attr = { .test = {
				    .prog_fd = (uint32_t)l->prog,
				    .data_in = (uint64_t)(uintptr_t)l->frame,
				    .data_size_in = l->size,
				    .ctx_in = (uint64_t)(uintptr_t)&ctx,
				    .ctx_size_in = sizeof(ctx),
				    .repeat = n,
				    .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
				    .batch_size = BATCH,
				} };

	if (bpf(BPF_PROG_TEST_RUN, &attr) < 0 && errno != EINTR)
		die("BPF_PROG_TEST_RUN: %s", strerror(errno));
	/* relaxed: a count that one thread writes */
	atomic_store_explicit(&l->sent,
	    atomic_load_explicit(&l->sent, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

/* --- source and sink ---------------------------------------------------------- */

static void
wait_until(uint64_t ns)
{
	struct timespec t = { (time_t)(ns / 1000000000),
		(long)(ns % 1000000000) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* A burst at a time; what was missed, within 20 ms, is made up for. */
static void
send_paced(struct load *l)
{
	uint64_t begin = bench_now_ns(), next = begin, sent = 0;

	while (!atomic_load_explicit(&l->stop, memory_order_relaxed)) {
		uint64_t now = bench_now_ns();
		uint64_t due = (now - begin) * l->pps / 1000000000;

		if (due > sent) {
			uint64_t n = MIN(due - sent, l->pps / 50 + 1);

			send_chunk(l, (uint32_t)n);
			sent = due;
		}
		next += (uint64_t)l->every_us * 1000;
		if (next < now)
			next = now;
		wait_until(next);
	}
}

static void *
source(void *arg)
{
	struct load *l = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)l->core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("core %u: %s", l->core, strerror(errno));
	prctl(PR_SET_TIMERSLACK, 1);
	enter(l->src);
	l->ifindex = if_nametoindex(l->src_if);
	if (l->ifindex == 0)
		die("%s: %s", l->src_if, strerror(errno));
	l->prog = load_program(l);
	keep_program(l);
	if (l->pps > 0)
		send_paced(l);
	while (!atomic_load_explicit(&l->stop, memory_order_relaxed))
		send_chunk(l, FAST_CHUNK);
	return NULL;
}

static uint64_t
received(int fd, const char *interface)
{
	static char text[16384];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	char want[40];
	uint64_t bytes, packets;
	const char *line;

	text[MAX(n, 0)] = '\0';
	snprintf(want, sizeof(want), " %s:", interface);
	line = strstr(text, want);
	if (!line ||
	    sscanf(line + strlen(want), "%lu %lu", &bytes, &packets) != 2)
		die("%s: no such interface", interface);
	return packets;
}

static uint64_t
idle_ns(void)
{
	uint64_t user, nice, system, idle, iowait;
	FILE *f = fopen("/proc/stat", "re");

	if (!f || fscanf(f, "cpu %lu %lu %lu %lu %lu", &user, &nice, &system,
		      &idle, &iowait) != 5)
		die("/proc/stat cannot be read");
	fclose(f);
	return (idle + iowait) * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

struct sample {
	uint64_t ns, idle, sent, received;
};

static struct sample
take_sample(const struct load *l, int fd)
{
	return (struct sample){
		.ns = bench_now_ns(),
		.idle = idle_ns(),
		.sent = atomic_load_explicit(&l->sent, memory_order_relaxed),
		.received = received(fd, l->sink_if),
	};
}

static void
report(const struct sample *a, const struct sample *b)
{
	double us = (double)(b->ns - a->ns) / 1000;
	uint64_t cores = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t wall = (b->ns - a->ns) * cores;
	uint64_t n = b->received - a->received;
	uint64_t busy = wall - MIN(b->idle - a->idle, wall);

	printf("{\"offered_mpps\": %.4f, \"mpps\": %.4f, \"packets\": %lu, "
	       "\"cpu_ns\": %.0f}\n",
	    (double)(b->sent - a->sent) / us, (double)n / us, n,
	    n ? (double)busy / (double)n : 0);
}

int
main(int argc, char **argv)
{
	static struct load l = { .size = BENCH_FRAME_BYTES,
		.every_us = 1000,
		.macs = 1,
		.warm_ms = 300,
		.window_ms = 1000 };
	struct sample a, b;
	pthread_t thread;
	sigset_t set;
	int fd, sig;

	read_arguments(&l, argc, argv);
	bench_datagram(l.frame, l.size, l.dst);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	enter(l.sink);
	fd = open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pthread_create(&thread, NULL, source, &l) != 0)
		die("start: %s", strerror(errno));
	bench_sleep_ms(l.warm_ms);
	a = take_sample(&l, fd);
	if (l.window_ms > 0)
		bench_sleep_ms(l.window_ms);
	else
		sigwait(&set, &sig);
	b = take_sample(&l, fd);
	atomic_store_explicit(&l.stop, true, memory_order_relaxed);
	pthread_join(thread, NULL);
	report(&a, &b);
	return 0;
}
