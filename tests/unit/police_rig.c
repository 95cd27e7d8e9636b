/* SPDX-License-Identifier: Apache-2.0 */
/* police_rig: see police_rig.h. */
#include "tests/unit/police_rig.h"

#include "lib/base.h"

struct police_tank *police_tank;
uint64_t clock_ns;

int
police_rig_begin(void **state)
{
	(void)state;
	police_tank = police_tanks(4);
	clock_ns = 5000 * SECOND;
	return police_tank ? 0 : -1;
}

int
police_rig_end(void **state)
{
	(void)state;
	free(police_tank);
	return 0;
}

struct police
one_level(struct wire_rates r)
{
	struct police p = { 0 };

	assert_null(police_flaw(&r));
	police_add(&p, &r, POLICE_RX, &police_tank[0]);
	return p;
}

struct police_verdict
judge(const struct police *p, unsigned n, uint16_t len, bool urgent)
{
	uint16_t lens[POLICE_MAX_PACKETS];
	const struct police_burst burst = {
		.now_ns = clock_ns,
		.lens = lens,
		.n = n,
		.max = n,
		.urgent = urgent,
	};
	struct police_verdict v;

	for (unsigned i = 0; i < n; i++)
		lens[i] = len;
	police_judge(p, &burst, &v);
	assert_int_equal(__builtin_popcountll(v.pass), v.n_pass);
	assert_int_equal(
	    v.n_pass + v.n_drop[POLICE_PPS] + v.n_drop[POLICE_BPS] + v.n_rest,
	    n);
	return v;
}

uint64_t
flood(const struct police *p, unsigned n, uint16_t len, uint64_t step,
    uint64_t duration)
{
	uint64_t passed = 0;

	for (uint64_t t = 0; t < duration; t += step) {
		clock_ns += step;
		passed += judge(p, n, len, false).n_pass;
	}
	return passed;
}

uint64_t
drain(const struct police *p, uint16_t len, bool urgent)
{
	uint64_t passed = 0;

	for (;;) {
		unsigned n = judge(p, N, len, urgent).n_pass;

		passed += n;
		if (n < N)
			return passed;
	}
}

void
expect_within(uint64_t got, uint64_t want, double share)
{
	if ((double)got < (double)want * (1 - share) ||
	    (double)got > (double)want * (1 + share))
		fail_msg("%llu, not %llu", (unsigned long long)got,
		    (unsigned long long)want);
}
