/* SPDX-License-Identifier: Apache-2.0 */
/*
 * afpfwd: a router as one would write it without Europa, in user mode on packet
 * sockets, a system call per packet and direction: recvfrom(), check, look up,
 * TTL, checksum, MACs, send(). It stands for a user-mode software router with a
 * process per tenant. [Europa paper, section 5.2]
 *
 *	afpfwd IF MAC PREFIX/LEN HOP_MAC IF MAC PREFIX/LEN HOP_MAC
 *
 * For each side: the interface, the router's MAC there (frames to others are
 * filtered in the kernel), and the one route and neighbour that it has there.
 * Runs until a signal, prints how many packets it has forwarded.
 */
#include "lib/base.h"
#include "tests/bench/packet.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

enum { N_SIDES = 2, SIDE_ARGS = 4, ROOM = 2048, BUFFER = 8 << 20, TURN = 64 };

struct side {
	int fd;
	uint8_t mac[6], hop[6];
	uint32_t prefix, mask;
};

static volatile sig_atomic_t ended;

static void
on_end(int sig)
{
	(void)sig;
	ended = 1;
}

/* Only frames to this MAC. */
static int
filter(int fd, const uint8_t *mac)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, load_be32(mac), 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, load_be16(mac + 4), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, ROOM),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { ARRAY_SIZE(code), code };

	return setsockopt(
	    fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

static int
open_side(struct side *s, char **arg)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET };
	struct in_addr prefix;
	int one = 1, big = BUFFER;
	char *slash = strchr(arg[2], '/');

	if (!slash)
		return -EINVAL;
	*slash = '\0';
	if (inet_pton(AF_INET, arg[2], &prefix) != 1)
		return -EINVAL;
	s->prefix = ntohl(prefix.s_addr);
	s->mask = ~UINT32_C(0) << (32 - atoi(slash + 1));
	bench_mac(arg[1], s->mac);
	bench_mac(arg[3], s->hop);
	a.sll_ifindex = (int)if_nametoindex(arg[0]);
	s->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || a.sll_ifindex == 0 || filter(s->fd, s->mac) < 0)
		return -errno;
	setsockopt(s->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	setsockopt(
	    s->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	setsockopt(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof(big));
	a.sll_protocol = htons(ETH_P_IP);
	return bind(s->fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
}

/* RFC 1812 for one packet. Returns the side it leaves by, NULL = drop. */
static const struct side *
forward(const struct side *sides, uint8_t *p, size_t bytes)
{
	uint8_t *ip = p + BENCH_IP;
	uint32_t dst, sum;

	if (bytes < BENCH_UDP || load_be16(p + 12) != 0x0800 || ip[0] != 0x45)
		return NULL;
	if (load_be16(ip + 2) < 20 || load_be16(ip + 2) > bytes - BENCH_IP ||
	    ip[8] < 2 || bench_checksum(ip, 20) != 0)
		return NULL;
	dst = load_be32(ip + 16);
	for (unsigned i = 0; i < N_SIDES; i++) {
		const struct side *s = &sides[i];

		if ((dst & s->mask) != s->prefix)
			continue;
		ip[8]--;
		sum = load_be16(ip + 10) + UINT32_C(0x100);
		store_be16(ip + 10, (uint16_t)(sum + (sum >> 16)));
		memcpy(p, s->hop, 6);
		memcpy(p + 6, s->mac, 6);
		return s;
	}
	return NULL;
}

/* Up to TURN packets of one side, so that the other has its turn. */
static uint64_t
serve(const struct side *sides, const struct side *s)
{
	uint8_t p[ROOM];
	uint64_t n = 0;

	for (unsigned i = 0; i < TURN; i++) {
		ssize_t bytes =
		    recvfrom(s->fd, p, sizeof(p), MSG_DONTWAIT, NULL, NULL);
		const struct side *to;

		if (bytes <= 0)
			break;
		to = forward(sides, p, (size_t)bytes);
		if (to && send(to->fd, p, (size_t)bytes, 0) == bytes)
			n++;
	}
	return n;
}

int
main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_end };
	struct pollfd polls[N_SIDES];
	struct side sides[N_SIDES];
	uint64_t n = 0;

	if (argc != 1 + N_SIDES * SIDE_ARGS) {
		fputs("usage: afpfwd IF MAC PREFIX/LEN HOP_MAC "
		      "IF MAC PREFIX/LEN HOP_MAC\n",
		    stderr);
		return 2;
	}
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	for (int i = 0; i < N_SIDES; i++) {
		char **arg = argv + 1 + i * SIDE_ARGS;
		int rc = open_side(&sides[i], arg);

		if (rc < 0) {
			fprintf(
			    stderr, "afpfwd: %s: %s\n", arg[0], strerror(-rc));
			return 1;
		}
		polls[i] = (struct pollfd){ sides[i].fd, POLLIN, 0 };
	}
	while (!ended) {
		if (poll(polls, N_SIDES, -1) < 0)
			continue;
		for (unsigned i = 0; i < N_SIDES; i++)
			if (polls[i].revents)
				n += serve(sides, &sides[i]);
	}
	printf("%lu\n", n);
	return 0;
}
