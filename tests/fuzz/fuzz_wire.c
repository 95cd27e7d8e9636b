/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_wire: what is decoded is encoded to the same bytes: a message has one
 * form. Half of the inputs begin as a good message with some bytes changed.
 */
#include "tests/fuzz/fuzz.h"

#include "lib/base.h"
#include "tests/unit/wire_samples.h"

static uint64_t n_decoded;

uint64_t
fuzz_count(void)
{
	return n_decoded;
}

static void
check(const uint8_t *data, size_t size)
{
	static struct wire_msg m;
	static uint8_t again[WIRE_MAX_BYTES];
	uint8_t *exact = malloc(size ? size : 1);

	memcpy(exact, data, size);
	if (size <= WIRE_MAX_BYTES && wire_decode(&m, exact, size) == 0) {
		n_decoded++;
		FUZZ_MUST(wire_encode(&m, again, sizeof(again)) == (int)size);
		FUZZ_MUST(memcmp(again, exact, size) == 0);
	}
	free(exact);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	static uint8_t buf[WIRE_MAX_BYTES];
	static struct wire_msg m;
	unsigned n_changes;
	size_t n;

	check(data, size);
	wire_sample(
	    &m, (enum wire_type)(1 + fuzz_u8(&in) % (WIRE_N_TYPES - 1)));
	n = (size_t)wire_encode(&m, buf, sizeof(buf));
	n_changes = fuzz_u8(&in) % 4;
	for (unsigned i = 0; i < n_changes; i++)
		buf[fuzz_u16(&in) % n] = (uint8_t)fuzz_u8(&in);
	check(buf, n);
	return 0;
}
