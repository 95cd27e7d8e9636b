/* SPDX-License-Identifier: Apache-2.0 */
/*
 * udpseq: UDP with sequence numbers, so that a test can say from the receiver's
 * own list what was lost, doubled, reordered or somebody else's.
 *
 *	udpseq [-w FILE] [-b N] send DST PORT PPS SECONDS CANARY [SIZE [FIRST]]
 *	udpseq [-w FILE] recv ADDRESS PORT SECONDS CANARY
 *	udpseq now
 *
 * With -w, recv says in FILE how far it is, and send is never more than WINDOW
 * datagrams ahead of it nor catches up on what it is late with: a machine that
 * stands still for a second then loses nothing in between, and what is lost, the
 * path has lost. What is gone for good holds the sender up for GRACE_NS, after
 * which one datagram at a time looks whether the way is there again, for DEAD_NS.
 * With -b so many go at once, else BATCH.
 *
 * A datagram begins with canary, sequence number and send time, 8 bytes each.
 * recv ends SECONDS after the last datagram, or on SIGTERM, and prints one JSON
 * object. What it has bound, it has all its room for. Times are CLOCK_MONOTONIC:
 * both ends run on one machine.
 */
#include "lib/base.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

enum {
	BATCH = 16,
	MIN_SIZE = 24,
	MAX_SIZE = 9000,
	RCVBUF = 64 << 20,
	LATENCY_US = 200000, /* more is counted as this */
	WINDOW = 512,        /* any pool or ring on the way holds more */
	GRACE_NS = 20000000,
	LATE_NS = 1000000,
};

static const uint64_t DEAD_NS = UINT64_C(20000000000);

struct datagram {
	uint64_t canary;
	uint64_t seq;
	uint64_t sent_ns;
};

static volatile sig_atomic_t ended;

static void
on_end(int sig)
{
	(void)sig;
	ended = 1;
}

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void
pause_until(uint64_t when_ns)
{
	uint64_t now = now_ns();
	struct timespec t;

	if (now >= when_ns)
		return;
	t.tv_sec = (time_t)((when_ns - now) / 1000000000);
	t.tv_nsec = (long)((when_ns - now) % 1000000000);
	nanosleep(&t, NULL);
}

/* The sequence number that the receiver wants next; NULL without -w. */
static _Atomic(uint64_t) *
open_window(const char *file)
{
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *at = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, sizeof(uint64_t)) == 0)
		at = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	return at == MAP_FAILED ? NULL : at;
}

static uint64_t
received(_Atomic(uint64_t) *window)
{
	/* relaxed, as its store: a number, and nothing that comes with it */
	return atomic_load_explicit(window, memory_order_relaxed);
}

/*
 * Until the receiver is near enough; false if it has not moved for GRACE_NS. A
 * way that stands still for half a second is not filled by those who look.
 */
static bool
wait_for_window(_Atomic(uint64_t) *window, uint64_t seq)
{
	static uint64_t seen, moved_ns;
	uint64_t begin = now_ns(), now, next;

	while (!ended && (next = received(window)) + WINDOW < seq) {
		now = now_ns();
		if (next != seen || moved_ns == 0) {
			seen = next;
			moved_ns = begin = now;
		} else if (now - moved_ns > DEAD_NS) {
			ended = 1;
		} else if (now - begin > GRACE_NS) {
			return false;
		}
		pause_until(now + 50000);
	}
	return true;
}

static int
open_socket(const char *address, const char *port, struct sockaddr_in *sa)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int size = RCVBUF;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	*sa = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)),
	};
	if (fd < 0 || inet_pton(AF_INET, address, &sa->sin_addr) != 1)
		return -1;
	return fd;
}

struct load {
	uint64_t pps, seconds, canary, first;
	size_t size;
	unsigned batch; /* 1..BATCH */
	_Atomic(uint64_t) *window;
};

/* Until datagram seq is due; false if it is to go alone. */
static bool
keep_pace(const struct load *l, uint64_t *start_ns, uint64_t seq)
{
	uint64_t due, now;
	bool near = true;

	if (l->window)
		near = wait_for_window(l->window, l->first + seq);
	due = *start_ns + seq * 1000000000 / l->pps;
	now = now_ns();
	if (l->window && now > due + LATE_NS)
		*start_ns += now - due;
	else
		pause_until(due);
	return near;
}

/* Sends batch after batch at a steady pace; what the socket refuses, waits. */
static int
run_send(int fd, const struct load *l)
{
	static uint8_t bytes[BATCH][MAX_SIZE];
	struct mmsghdr msg[BATCH] = { 0 };
	struct iovec iov[BATCH];
	uint64_t begin = now_ns(), start = begin, seq = 0;
	uint64_t total = l->pps * l->seconds;

	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ bytes[i], l->size };
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	while (seq < total && !ended) {
		unsigned n = (unsigned)MIN(total - seq, (uint64_t)l->batch);
		unsigned done = 0;

		if (!keep_pace(l, &start, seq))
			n = 1;
		for (unsigned i = 0; i < n; i++) {
			struct datagram d = { l->canary, l->first + seq + i,
				now_ns() };

			memcpy(bytes[i], &d, sizeof(d));
		}
		while (done < n && !ended) {
			int k = sendmmsg(fd, msg + done, n - done, 0);

			if (k < 0 && errno != ENOBUFS && errno != EINTR &&
			    errno != ECONNREFUSED && errno != EHOSTUNREACH)
				return -errno;
			if (k > 0)
				done += (unsigned)k;
		}
		seq += done;
	}
	printf("{\"sent\":%" PRIu64 ",\"seconds\":%.3f}\n", seq,
	    (double)(now_ns() - begin) / 1e9);
	return 0;
}

struct tally {
	uint64_t received, foreign, doubled, reordered, next, first_sent_ns,
	    first_ns, last_ns, gap_ns, max_latency_ns;
	uint32_t latency[LATENCY_US + 1]; /* datagrams, by microseconds */
	uint8_t *seen;                    /* a bit per sequence number */
	uint64_t room;                    /* bits of seen */
};

static bool
mark_seen(struct tally *t, uint64_t seq)
{
	bool old;

	if (seq >= t->room)
		return false;
	old = t->seen[seq / 8] >> (seq % 8) & 1;
	t->seen[seq / 8] |= (uint8_t)(1 << (seq % 8));
	return old;
}

static void
count(struct tally *t, const uint8_t *p, size_t len, uint64_t canary)
{
	uint64_t now = now_ns();
	struct datagram d;

	if (len < sizeof(d))
		return;
	memcpy(&d, p, sizeof(d));
	if (d.canary != canary) {
		t->foreign++;
		return;
	}
	if (t->received == 0) {
		t->first_ns = now;
		t->first_sent_ns = d.sent_ns;
	} else {
		t->gap_ns = MAX(t->gap_ns, now - t->last_ns);
	}
	t->last_ns = now;
	t->received++;
	t->max_latency_ns = MAX(t->max_latency_ns, now - d.sent_ns);
	t->latency[MIN((now - d.sent_ns) / 1000, (uint64_t)LATENCY_US)]++;
	if (mark_seen(t, d.seq))
		t->doubled++;
	else if (d.seq < t->next)
		t->reordered++;
	t->next = MAX(t->next, d.seq + 1);
}

/* Microseconds that a share of all datagrams did not take longer than. */
static unsigned
percentile(const struct tally *t, unsigned percent)
{
	uint64_t want = t->received * percent / 100, n = 0;
	unsigned us = 0;

	while (us < LATENCY_US && (n += t->latency[us]) < want)
		us++;
	return us;
}

/* Datagrams before the last one that never came; *runs: of how many in a row. */
static uint64_t
count_lost(const struct tally *t, uint64_t *runs)
{
	uint64_t lost = 0;
	bool here = true;

	*runs = 0;
	for (uint64_t s = 0; s < t->next && s < t->room; s++) {
		bool before = here;

		here = t->seen[s / 8] >> (s % 8) & 1;
		lost += !here;
		*runs += before && !here;
	}
	return lost;
}

static void
print_tally(const struct tally *t)
{
	uint64_t runs, lost = count_lost(t, &runs);

	printf("{\"received\":%" PRIu64 ",\"lost\":%" PRIu64
	       ",\"lost_runs\":%" PRIu64 ",\"doubled\":%" PRIu64
	       ",\"reordered\":%" PRIu64 ",\"foreign\":%" PRIu64
	       ",\"first_sent_ns\":%" PRIu64 ",\"first_ns\":%" PRIu64
	       ",\"last_ns\":%" PRIu64 ",\"max_gap_ms\":%.3f"
	       ",\"p10_us\":%u,\"p50_us\":%u,\"p90_us\":%u,\"p99_us\":%u"
	       ",\"max_latency_us\":%.1f}\n",
	    t->received, lost, runs, t->doubled, t->reordered, t->foreign,
	    t->first_sent_ns, t->first_ns, t->last_ns, (double)t->gap_ns / 1e6,
	    percentile(t, 10), percentile(t, 50), percentile(t, 90),
	    percentile(t, 99), (double)t->max_latency_ns / 1e3);
}

static int
run_recv(int fd, uint64_t seconds, uint64_t canary, _Atomic(uint64_t) *window)
{
	static uint8_t bytes[64][MAX_SIZE];
	struct timeval tv = { .tv_sec = 0, .tv_usec = 100000 };
	struct mmsghdr msg[64] = { 0 };
	struct iovec iov[64];
	static struct tally t = { .room = UINT64_C(1) << 28 };
	uint64_t started = now_ns();

	t.seen = calloc(1, t.room / 8);
	if (!t.seen)
		return -ENOMEM;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	for (unsigned i = 0; i < 64; i++) {
		iov[i] = (struct iovec){ bytes[i], MAX_SIZE };
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	while (!ended) {
		uint64_t last = t.received ? t.last_ns : started;
		int n = recvmmsg(fd, msg, 64, MSG_WAITFORONE, NULL);

		for (int i = 0; i < n; i++)
			count(&t, bytes[i], msg[i].msg_len, canary);
		if (window)
			atomic_store_explicit(
			    window, t.next, memory_order_relaxed);
		if (n <= 0 && now_ns() > last + seconds * 1000000000)
			break;
	}
	print_tally(&t);
	free(t.seen);
	return 0;
}

static int
usage(void)
{
	fprintf(stderr,
	    "usage: udpseq [-w FILE] [-b N] send DST PORT PPS SECONDS CANARY "
	    "[SIZE [FIRST]]\n"
	    "       udpseq [-w FILE] recv ADDRESS PORT SECONDS CANARY\n"
	    "       udpseq now\n");
	return 2;
}

static uint64_t
number(int argc, char **argv, int i, uint64_t otherwise)
{
	return i < argc ? strtoull(argv[i], NULL, 10) : otherwise;
}

int
main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_end };
	struct load l = { .batch = BATCH };
	struct sockaddr_in addr;
	int fd, rc = -EINVAL;

	if (argc == 2 && strcmp(argv[1], "now") == 0) {
		printf("%" PRIu64 "\n", now_ns());
		return 0;
	}
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	for (; argc > 2 && argv[1][0] == '-'; argc -= 2, argv += 2) {
		if (strcmp(argv[1], "-w") == 0)
			l.window = open_window(argv[2]);
		else if (strcmp(argv[1], "-b") == 0)
			l.batch = (unsigned)strtoul(argv[2], NULL, 10);
		else
			return usage();
		if ((strcmp(argv[1], "-w") == 0 && !l.window) || l.batch == 0 ||
		    l.batch > BATCH)
			return 1;
	}
	l.size = number(argc, argv, 7, MIN_SIZE);
	if (argc < 6 || l.size < MIN_SIZE || l.size > MAX_SIZE)
		return usage();
	fd = open_socket(argv[2], argv[3], &addr);
	if (fd < 0)
		return 1;
	l.pps = number(argc, argv, 4, 0);
	l.seconds = number(argc, argv, 5, 0);
	l.canary = number(argc, argv, 6, 0);
	l.first = number(argc, argv, 8, 0);
	if (strcmp(argv[1], "send") == 0 && argc >= 7 && l.pps > 0 &&
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		rc = run_send(fd, &l);
	else if (strcmp(argv[1], "recv") == 0 &&
		 bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		rc = run_recv(fd, number(argc, argv, 4, 0),
		    number(argc, argv, 5, 0), l.window);
	close(fd);
	return rc < 0;
}
