/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_rates: what may pass per second, of a vNIC or of a router, between JSON
 * and struct model_rates. 0 is no limit, and the default.
 */
#include "api/model_int.h"

#include "lib/base.h"

static const struct model_range packets = {
	.min = 1,
	.max = UINT64_C(1000000000),
	.or_zero = true,
};
static const struct model_range bits = {
	.min = 1000,
	.max = UINT64_C(1000000000000),
	.or_zero = true,
};
static const struct model_range burst = { .min = 1, .max = 1000 };

void
model_rates_init(struct model_rates *r)
{
	*r = (struct model_rates){ .burst_ms = 50 };
}

void
model_rates_take(const struct model_reader *in, struct model_rates *r)
{
	uint64_t ms = r->burst_ms;

	model_take_uint(in, "rx_pps", &packets, &r->rx_pps);
	model_take_uint(in, "tx_pps", &packets, &r->tx_pps);
	model_take_uint(in, "rx_bps", &bits, &r->rx_bps);
	model_take_uint(in, "tx_bps", &bits, &r->tx_bps);
	model_take_uint(in, "burst_ms", &burst, &ms);
	r->burst_ms = (uint32_t)ms; /* in range */
}

void
model_rates_read(
    const struct model_reader *parent, const char *key, struct model_rates *r)
{
	static const char *const known[] = { MODEL_RATE_KEYS, NULL };
	const json_t *v = model_take_object(parent, key);
	char at[MODEL_AT_BYTES];
	struct model_reader in;

	if (!v)
		return;
	model_at(at, parent->at, key);
	if (model_reader_begin(&in, v, at, known, parent->p))
		model_rates_take(&in, r);
}

void
model_rates_put(json_t *o, const struct model_rates *r)
{
	/* every value is below 2^63 */
	json_object_set_new(o, "rx_pps", json_integer((json_int_t)r->rx_pps));
	json_object_set_new(o, "tx_pps", json_integer((json_int_t)r->tx_pps));
	json_object_set_new(o, "rx_bps", json_integer((json_int_t)r->rx_bps));
	json_object_set_new(o, "tx_bps", json_integer((json_int_t)r->tx_bps));
	json_object_set_new(o, "burst_ms", json_integer(r->burst_ms));
}
