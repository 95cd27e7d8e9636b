/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scatters: what it costs to take packets out of a batch, by the three ways of
 * scatter.h: the same modules, tables and frames, of which some are complex, at
 * random places. Those end in the queue to the slow path, as in the router; it
 * is emptied between batches.
 *
 *	scatters [complex=PERCENT] [burst=N] [rounds=N]
 *
 * A complex packet has options or a TTL of 1. The fixture makes frames anew for
 * each batch; its own time is measured without a way, and taken off. Prints one
 * JSON object: medians in ns a packet.
 */
#include "router/plan.h"
#include "router/punt.h"
#include "tests/bench/bench.h"
#include "tests/bench/frame.h"
#include "tests/bench/rounds.h"
#include "tests/bench/scatter.h"

#include <stdio.h>

enum {
	STRIDE = 2112, /* of a pool's slot */
	ROUND_PACKETS = 1 << 18,
	MAX_ROUNDS = 101,
	HEADER_BYTES = 64,
	NO_WAY = N_SCATTER_WAYS, /* the fixture alone */
	N_RUNS,
};

struct field {
	struct tables *tables;
	struct punt punt;
	unsigned burst;
	unsigned complex; /* percent */
	uint64_t n_sent, n_ended;
	uint8_t header[BENCH_FRAMES][HEADER_BYTES];
	uint8_t pool[BENCH_FRAMES][STRIDE];
};

static void
die(const char *what)
{
	fprintf(stderr, "scatters: %s\n", what);
	exit(1);
}

/* --- set-up --------------------------------------------------------------- */

static void
fix_checksum(uint8_t *ip)
{
	store_be16(ip + 10, 0);
	store_be16(ip + 10, frame_checksum(frame_sum(ip, (ip[0] & 15U) * 4)));
}

static void
make_frames(struct field *f)
{
	uint32_t state = 1;

	for (unsigned i = 0; i < BENCH_FRAMES; i++) {
		uint8_t *ip = f->header[i] + 14;
		uint32_t dst = 0xc6130000 | frame_random(&state) >> 16;

		frame_datagram(f->header[i], BENCH_FRAME_BYTES, dst, i);
		if ((frame_random(&state) >> 8) % 100 >= f->complex)
			continue;
		if (i % 2) {
			ip[8] = 1;
		} else {
			ip[0] = 0x46; /* no operation, four times */
			memset(ip + 20, 1, 4);
		}
		fix_checksum(ip);
	}
}

/* --- where packets go ----------------------------------------------------- */

static void
on_send(void *arg, unsigned vnic, const struct vnic_frame *p, unsigned n)
{
	struct field *f = arg;

	(void)vnic;
	(void)p;
	f->n_sent += n;
}

/* As settle() of router/pipeline.c. */
static void
on_end(void *arg, enum fate fate, const struct vnic_frame *p, unsigned n)
{
	struct field *f = arg;

	for (unsigned i = 0; i < n; i++) {
		struct punt_record r = {
			.fate = (uint16_t)fate,
			.vnic = p[i].vnic,
			.len = p[i].len,
		};

		if (fate >= FATE_N_DROPS && !punt_put(&f->punt, &r, p[i].data))
			die("the slow path's queue is full");
	}
	f->n_ended += n;
}

static void
empty(struct punt *q)
{
	const uint8_t *frame;

	while (punt_peek(q, &frame))
		punt_pop(q);
}

/* --- rounds --------------------------------------------------------------- */

static double
run_round(struct field *f, unsigned way)
{
	struct scatter_sink to = { on_send, on_end, f };
	struct vnic_frame batch[BATCH_MAX];
	uint64_t before = f->n_sent + f->n_ended;
	uint64_t start = bench_now_ns();
	unsigned at = 0;

	for (unsigned left = ROUND_PACKETS; left >= f->burst;
	     left -= f->burst) {
		for (unsigned i = 0; i < f->burst; i++) {
			unsigned slot = at++ % BENCH_FRAMES;

			memcpy(f->pool[slot], f->header[slot], HEADER_BYTES);
			batch[i] = (struct vnic_frame){
				.data = f->pool[slot],
				.slot = slot,
				.len = BENCH_FRAME_BYTES,
			};
		}
		if (way == NO_WAY)
			on_send(f, 0, batch, f->burst);
		else
			scatter((enum scatter_way)way, f->tables, batch,
			    f->burst, &to);
		empty(&f->punt);
	}
	if (f->n_sent + f->n_ended - before <= ROUND_PACKETS - f->burst)
		die("packets were lost");
	return (double)(bench_now_ns() - start) / ROUND_PACKETS;
}

int
main(int argc, char **argv)
{
	static double ns[N_RUNS][MAX_ROUNDS];
	static struct field f = { .burst = BATCH_MAX };
	unsigned rounds = 21;
	double none;

	for (int i = 1; i < argc; i++)
		if (sscanf(argv[i], "burst=%u", &f.burst) != 1 &&
		    sscanf(argv[i], "rounds=%u", &rounds) != 1 &&
		    sscanf(argv[i], "complex=%u", &f.complex) != 1)
			die("want KEY=VALUE");
	if (f.burst == 0 || f.burst > BATCH_MAX || rounds == 0 ||
	    rounds > MAX_ROUNDS || f.complex > 100)
		die("burst: 1 to 64; rounds: 1 to 101; complex: 0 to 100");
	if (punt_init(&f.punt) < 0)
		die("no memory");
	f.tables = rounds_tables();
	make_frames(&f);
	for (unsigned way = 0; way < N_RUNS; way++)
		run_round(&f, way);
	f.n_sent = f.n_ended = 0;
	for (unsigned r = 0; r < rounds; r++)
		for (unsigned way = 0; way < N_RUNS; way++)
			ns[way][r] = run_round(&f, way);
	none = rounds_median(ns[NO_WAY], rounds);
	printf("{\"burst\": %u, \"complex\": %u, \"arrays_ns\": %.3f, "
	       "\"masks_ns\": %.3f, \"drop_out_ns\": %.3f, "
	       "\"fixture_ns\": %.3f, \"ended\": %.4f}\n",
	    f.burst, f.complex,
	    rounds_median(ns[SCATTER_ARRAYS], rounds) - none,
	    rounds_median(ns[SCATTER_MASKS], rounds) - none,
	    rounds_median(ns[SCATTER_DROP_OUT], rounds) - none, none,
	    (double)f.n_ended /
		((double)rounds * N_SCATTER_WAYS * ROUND_PACKETS));
	tables_free(f.tables);
	punt_destroy(&f.punt);
	return 0;
}
