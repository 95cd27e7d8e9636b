/* SPDX-License-Identifier: Apache-2.0 */
/* rules: building a table, see rules.h. */
#include "dataplane/rules.h"

#include <sys/random.h>

static uint64_t
random_odd(void)
{
	uint64_t x;

	if (getrandom(&x, sizeof(x), GRND_NONBLOCK) != sizeof(x))
		x = UINT64_C(0x9e3779b97f4a7c15); /* early in boot */
	return x | 1;
}

static int
build_hash(struct rules *r, const struct rules_member *m, uint32_t n)
{
	unsigned log2 = 3;

	while ((UINT32_C(1) << log2) < 2 * n + 1)
		log2++;
	r->multiplier = random_odd();
	r->shift = 64 - log2;
	r->mask = (UINT32_C(1) << log2) - 1;
	r->slot = calloc((size_t)r->mask + 1, sizeof(*r->slot));
	if (!r->slot)
		return -ENOMEM;
	for (uint32_t k = 0; k < n; k++) {
		uint8_t mac[8] = { 0 };
		uint64_t key;
		uint32_t i;

		memcpy(mac, m[k].mac, sizeof(m[k].mac));
		key = rules_key(m[k].vlan, mac);
		i = (uint32_t)((key * r->multiplier) >> r->shift);
		while (r->slot[i].key != 0 && r->slot[i].key != key)
			i = (i + 1) & r->mask;
		r->slot[i].key = key;
		r->slot[i].value = m[k].value;
	}
	return 0;
}

static uint32_t
fill_segment(struct rules *r, uint32_t at, const struct rules_member *m,
    uint32_t n, uint16_t vlan)
{
	for (uint32_t k = 0; k < n; k++)
		if (!m[k].also &&
		    (m[k].vlan == vlan || m[k].vlan == RULES_ANY_VLAN))
			r->values[at++] = m[k].value;
	return at;
}

/* Segment 0 has the trunks alone: every VLAN that no access vNIC names. */
static int
build_segments(struct rules *r, const struct rules_member *m, uint32_t n)
{
	uint32_t n_trunks = 0, at = 0;
	uint16_t n_segments = 1;

	for (uint32_t k = 0; k < n; k++) {
		if (m[k].also)
			continue;
		if (m[k].vlan == RULES_ANY_VLAN)
			n_trunks++;
		else if (r->segment_of[m[k].vlan] == 0)
			r->segment_of[m[k].vlan] = n_segments++;
	}
	r->has_trunks = n_trunks > 0;
	r->segment = calloc(n_segments, sizeof(*r->segment));
	r->values = calloc(
	    (size_t)n + (size_t)n_segments * n_trunks + 1, sizeof(*r->values));
	if (!r->segment || !r->values)
		return -ENOMEM;
	for (uint32_t vlan = 0; vlan < RULES_N_VLANS; vlan++) {
		struct rules_segment *s = &r->segment[r->segment_of[vlan]];

		if (r->segment_of[vlan] == 0)
			continue;
		s->first = at;
		at = fill_segment(r, at, m, n, (uint16_t)vlan);
		s->n = at - s->first;
	}
	r->segment[0].first = at;
	r->segment[0].n = fill_segment(r, at, m, n, RULES_ANY_VLAN) - at;
	return 0;
}

int
rules_new(const struct rules_member *m, uint32_t n, struct rules **out)
{
	struct rules *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	if (build_hash(r, m, n) < 0 || build_segments(r, m, n) < 0) {
		rules_free(r);
		return -ENOMEM;
	}
	*out = r;
	return 0;
}

void
rules_free(struct rules *r)
{
	if (!r)
		return;
	free(r->slot);
	free(r->segment);
	free(r->values);
	free(r);
}
